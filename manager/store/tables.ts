/** The kysely builder of the manager's schema; queries are written beside what they serve. */
import { builder } from "../../shared/database/query.ts";
import type { ManagerSchema } from "./schema.ts";

export const tables = builder<ManagerSchema>();
