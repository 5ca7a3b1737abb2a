/// <reference lib="deno.unstable" />
/**
 * A plugin for `deno lint` that reports where a source can be mutated. Deno's own parser does the reading, so that operators are told
 * from text that looks like them, and their operands have bounds. `read_sites.ts` takes the sites out of the diagnostics again.
 */

/** Places in a source, from and to, in UTF-16 units. */
export type Span = readonly [from: number, to: number];

/** Where a mutant can be made, and of what kind. */
export type Site =
  /** A comparison or sum. */
  | {
    readonly kind: "operator";
    readonly at: Span;
    readonly left: Span;
    readonly right: Span;
    readonly operator: string;
  }
  /** `&&`, `||`, `??`, of which the right side may never run. */
  | {
    readonly kind: "logical";
    readonly at: Span;
    readonly left: Span;
    readonly right: Span;
    readonly operator: string;
  }
  /** What an `if` or a `?:` asks. */
  | { readonly kind: "condition"; readonly at: Span }
  /** `!x`. */
  | { readonly kind: "not"; readonly at: Span; readonly of: Span }
  | { readonly kind: "boolean"; readonly at: Span; readonly value: boolean }
  /** The 1 of `+= 1`. */
  | { readonly kind: "one"; readonly at: Span }
  /** A call that stands alone and is there for what it throws. */
  | { readonly kind: "check"; readonly at: Span }
  /** A `throw` that no `if` right above decides about. */
  | { readonly kind: "throw"; readonly at: Span };

const OPERATORS: ReadonlySet<string> = new Set(["===", "!==", "<", "<=", ">", ">=", "+", "-"]);
const CHECK_NAME = /^#?(?:require|judge|verify|check|refuse|assert|expect|ensure)/;

/** Looked at from a node upwards. */
interface Placed {
  readonly type: string;
  readonly range: Span;
  readonly parent?: Placed | null;
}

const plugin: Deno.lint.Plugin = {
  name: "mutants",
  rules: {
    sites: {
      create(context) {
        const report = (node: Deno.lint.Node, site: Site) => {
          if (!isMessage(node as Placed)) context.report({ node, message: JSON.stringify(site) });
        };
        const condition = (test: Deno.lint.Node) => report(test, { kind: "condition", at: test.range });
        return {
          BinaryExpression(node) {
            const { range: at, left, right, operator } = node;
            if (!OPERATORS.has(operator)) return;
            report(node, { kind: "operator", at, left: left.range, right: right.range, operator });
          },
          LogicalExpression(node) {
            const { range: at, left, right, operator } = node;
            report(node, { kind: "logical", at, left: left.range, right: right.range, operator });
          },
          UnaryExpression(node) {
            if (node.operator === "!") report(node, { kind: "not", at: node.range, of: node.argument.range });
          },
          IfStatement(node) {
            condition(node.test);
          },
          ConditionalExpression(node) {
            condition(node.test);
          },
          Literal(node) {
            if (typeof node.value !== "boolean" || (node.parent as Placed).type.startsWith("TS")) return;
            report(node, { kind: "boolean", at: node.range, value: node.value });
          },
          AssignmentExpression(node) {
            const { operator, right } = node;
            if (operator !== "+=" || right.type !== "Literal" || right.value !== 1) return;
            report(node, { kind: "one", at: right.range });
          },
          ExpressionStatement(node) {
            const { expression } = node;
            const call = expression.type === "AwaitExpression" ? expression.argument : expression;
            if (call.type === "CallExpression" && CHECK_NAME.test(nameOf(call.callee))) {
              report(node, { kind: "check", at: node.range });
            }
          },
          ThrowStatement(node) {
            if (!isDecided(node as unknown as Placed)) report(node, { kind: "throw", at: node.range });
          },
        };
      },
    },
  },
};

export default plugin;

function nameOf(callee: Deno.lint.Node): string {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return "";
  const { property } = callee;
  return property.type === "Identifier" || property.type === "PrivateIdentifier" ? property.name : "";
}

/** Whether a node is in what an error says, which is for people: all arguments but the first, which is the code. */
function isMessage(node: Placed): boolean {
  for (let below = node, above = node.parent; above; below = above, above = above.parent) {
    if (above.type !== "NewExpression") continue;
    const { callee, arguments: given } = above as Placed & Deno.lint.NewExpression;
    if (callee.type !== "Identifier" || !callee.name.endsWith("Error")) continue;
    if (given.findIndex((one) => one.range[0] === below.range[0]) > 0) return true;
  }
  return false;
}

/** Whether nothing but the `throw` hangs on an `if`: taking it out is to make the condition never hold. */
function isDecided({ parent }: Placed): boolean {
  if (parent?.type === "IfStatement") return true;
  const isAlone = parent?.type === "BlockStatement" && (parent as Placed & Deno.lint.BlockStatement).body.length === 1;
  return isAlone && parent.parent?.type === "IfStatement";
}
