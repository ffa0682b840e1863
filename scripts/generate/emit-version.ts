// The package's version → assembly/generated/version.ts, so that a running module can say which one it is.

import { z } from "zod";
import { heading } from "./emit.ts";

const manifest = z.object({ version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/) });

/** The text of the generated module, from the text of package.json. */
export function emitVersion(packageJson: string): string {
  const { version } = manifest.parse(JSON.parse(packageJson));
  return `${heading("package.json", [])}\nexport const VERSION: string = ${JSON.stringify(version)};\n`;
}
