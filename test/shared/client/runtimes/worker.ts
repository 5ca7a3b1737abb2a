/** The scenario's entry on workerd: a worker that runs it for whoever posts its input. */
import { runScenario, type ScenarioInput } from "./scenario.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      return Response.json(await runScenario(await request.json() as ScenarioInput));
    } catch (error) {
      return new Response(error instanceof Error ? error.stack ?? error.message : String(error), { status: 500 });
    }
  },
};
