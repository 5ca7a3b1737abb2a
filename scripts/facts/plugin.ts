/// <reference lib="deno.unstable" />
/**
 * A plugin for `deno lint` that reports facts instead of faults: which modules a file imports, which runtime globals it
 * uses, and what its tests are called. Deno's own parser does the reading, so a commented-out import, an import inside
 * a string or a type-only `import("…")` is seen for what it is, without a second parser among the dependencies.
 *
 * Each fact travels as JSON in a diagnostic's message; `read.ts` beside this file takes them out again.
 */

/** One thing that a file does. */
export type Fact =
  /** Imports or re-exports; `type` imports vanish at run time, `dynamic` ones load when reached. */
  | { readonly kind: "import"; readonly specifier: string; readonly how: "static" | "type" | "dynamic" }
  /** `import(x)` where x is not a plain string, so that nobody can say what it loads. */
  | { readonly kind: "computed_import" }
  /** Refers to a global that not every runtime has. */
  | { readonly kind: "global"; readonly name: string }
  /** Mentions spec ids in the name of a test that runs. */
  | { readonly kind: "test_name"; readonly text: string };

/** Globals that tie a module to one runtime. */
const RUNTIME_GLOBALS: ReadonlySet<string> = new Set([
  "Deno",
  "Bun",
  "process",
  "Buffer",
  "require",
  "global",
  "__dirname",
  "__filename",
  "WebSocketPair",
  "HTMLRewriter",
]);

const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(["globalThis", "self", "window"]);

/** What a spec id looks like; the same shape as in `spec_ids/read.ts`. */
const HAS_SPEC_ID = /\b[A-Z]+-\d{2,}\b/;

const plugin: Deno.lint.Plugin = {
  name: "postern",
  rules: {
    facts: {
      create(context) {
        const report = (node: Deno.lint.Node, fact: Fact) => context.report({ node, message: JSON.stringify(fact) });
        const reportImport = (node: Deno.lint.Node, specifier: string, how: "static" | "type" | "dynamic") =>
          report(node, { kind: "import", specifier, how });

        return {
          ImportDeclaration(node) {
            const named = node.specifiers;
            const onlyTypes = node.importKind === "type" ||
              (named.length > 0 && named.every((one) => one.type === "ImportSpecifier" && one.importKind === "type"));
            reportImport(node, node.source.value, onlyTypes ? "type" : "static");
          },
          ExportAllDeclaration(node) {
            reportImport(node, node.source.value, node.exportKind === "type" ? "type" : "static");
          },
          ExportNamedDeclaration(node) {
            const source = node.source;
            if (source) reportImport(node, stringOf(source) ?? "", node.exportKind === "type" ? "type" : "static");
          },
          ImportExpression(node) {
            const specifier = stringOf(node.source);
            if (specifier === undefined) report(node, { kind: "computed_import" });
            else reportImport(node, specifier, "dynamic");
          },
          TSImportType(node) {
            const argument = node.argument;
            const specifier = argument.type === "TSLiteralType" ? stringOf(argument.literal) : undefined;
            if (specifier === undefined) report(node, { kind: "computed_import" });
            else reportImport(node, specifier, "type");
          },
          TSImportEqualsDeclaration(node) {
            const reference = node.moduleReference;
            if (reference.type !== "TSExternalModuleReference") return;
            reportImport(node, stringOf(reference.expression) ?? "", "static");
          },
          Identifier(node) {
            if (RUNTIME_GLOBALS.has(node.name) && !isOnlyAName(node)) report(node, { kind: "global", name: node.name });
          },
          MemberExpression(node) {
            const object = withoutTypes(node.object);
            if (object.type !== "Identifier" || !GLOBAL_OBJECTS.has(object.name)) return;
            const name = node.property.type === "Identifier" && !node.computed
              ? node.property.name
              : stringOf(node.property);
            if (name !== undefined && RUNTIME_GLOBALS.has(name)) report(node, { kind: "global", name });
          },
          Literal(node) {
            if (typeof node.value === "string" && HAS_SPEC_ID.test(node.value) && isTestName(node)) {
              report(node, { kind: "test_name", text: node.value });
            }
          },
          TemplateElement(node) {
            if (HAS_SPEC_ID.test(node.cooked) && isTestName(node.parent as Deno.lint.TemplateLiteral)) {
              report(node, { kind: "test_name", text: node.cooked });
            }
          },
        };
      },
    },
  },
};

export default plugin;

/** The value of a string literal, or of a template that has nothing to fill in. */
function stringOf(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0]?.cooked;
  return undefined;
}

/** What `(x as T)` is at run time. */
function withoutTypes(node: Deno.lint.Node): Deno.lint.Node {
  const isTypeOnly = node.type === "TSAsExpression" || node.type === "TSSatisfiesExpression" ||
    node.type === "TSNonNullExpression" || node.type === "TSTypeAssertion";
  return isTypeOnly ? withoutTypes(node.expression) : node;
}

/** Nodes are made anew at each access, so they are compared by place. */
function isSame(a: { readonly range: Deno.lint.Range }, b: { readonly range: Deno.lint.Range }): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}

/** True where an identifier names a member or a key (`row.process`, `{ process: 1 }`) and refers to no global. */
function isOnlyAName(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as Deno.lint.Node & { readonly key?: Deno.lint.Node; readonly shorthand?: boolean };
  if (parent.type === "MemberExpression") return !parent.computed && isSame(parent.property, node);
  if (parent.type === "TSQualifiedName") return isSame(parent.right, node);
  const isKey = parent.key !== undefined && isSame(parent.key, node);
  return isKey && !("computed" in parent && parent.computed) && parent.shorthand !== true;
}

/**
 * True for a literal that names a test: the first of several arguments (`Deno.test("…", …)`, `t.step("…", …)`, a
 * helper's own), or the value of a `name` key (`Deno.test({ name: "…" })`, a table of cases). Tests that never run do not count.
 */
function isTestName(node: { readonly range: Deno.lint.Range; readonly parent: Deno.lint.Node }): boolean {
  const parent = node.parent;
  if (parent.type === "CallExpression") {
    const first = parent.arguments[0];
    return parent.arguments.length > 1 && first !== undefined && isSame(first, node) && !isIgnored(parent.callee);
  }
  if (parent.type !== "Property" || !isSame(parent.value, node)) return false;
  if (parent.key.type !== "Identifier" || parent.key.name !== "name") return false;
  const object = parent.parent as Deno.lint.Node;
  return object.type !== "ObjectExpression" || !object.properties.some(isIgnoreTrue);
}

/** `Deno.test.ignore(…)`. */
function isIgnored(callee: Deno.lint.Node): boolean {
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" &&
    callee.property.name === "ignore";
}

/** `ignore: true` with the word itself; a condition such as `ignore: !present` is a test that runs somewhere. */
function isIgnoreTrue(property: Deno.lint.Node): boolean {
  return property.type === "Property" && property.key.type === "Identifier" && property.key.name === "ignore" &&
    property.value.type === "Literal" && property.value.value === true;
}
