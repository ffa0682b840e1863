/** Server-side and edge-side includes. */
import { testClass } from "./class-vectors.ts";

await testClass("ssi", ["<!--#", "<", "<!-", "<!-- #", "<esi:", "<!--#exec ", "<!", "<e"]);
