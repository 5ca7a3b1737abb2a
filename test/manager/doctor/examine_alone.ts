/** Child process of the tests, which may not load native code: says what the doctor finds of the KEK at the URI given. */
import { examineKek } from "../../../manager/doctor/examine_kek.ts";
import { judgeKek } from "../../../manager/doctor/judge_kek.ts";

const [pkcs11 = "", folder = ""] = Deno.args;
console.log(JSON.stringify(judgeKek(await examineKek({ pkcs11 }, folder), 0)));
