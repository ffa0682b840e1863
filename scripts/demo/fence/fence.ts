/**
 * What keeps the demo's shop from being a danger to the machine that it runs on. The shop's holes are real; what lies
 * behind them is not the user's: its whole disk is a temporary folder with planted files, and its shell runs a few
 * tame programs in there, as nobody, without the environment, for two seconds at most.
 *
 *   FOLDER/etc/passwd                     planted
 *   FOLDER/shop/public/manuals/…          what is meant to be downloaded
 *   FOLDER/shop/delivery/zones.txt        what the shell searches
 *   FOLDER/shop/delivery/suppliers.txt    planted
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readInside } from "./files.ts";
import { TameShell } from "./shell.ts";

/** All that the shop has of a machine. */
export interface Fence {
  /** The text of a file; the demo's folder is the root of `path`, so that no number of `..` leads out of it. */
  readFile(path: string): Promise<string>;
  /** What a command line prints, in the folder `shop/delivery`. */
  shell(command: string): Promise<string>;
}

const FILES: Record<string, string> = {
  "etc/passwd": "root:x:0:0:planted by the demo:/nowhere:/bin/false\n",
  "shop/public/manuals/lamp..shade...v2.txt": "How to put the shade on the lamp.\n",
  "shop/public/manuals/guides/etc/password-advice.txt": "How to choose a password.\n",
  "shop/delivery/zones.txt": "Oslo: zone 1\nNewcastle & Gateshead: zone 2\nBury St Edmunds; Suffolk: zone 3\n",
  "shop/delivery/suppliers.txt": "Secret: we buy lamps at 11 and sell them at 49.\n",
};

export interface BuiltFence extends Fence {
  readonly folder: string;
  /** Ends what still runs and removes the folder. */
  remove(): Promise<void>;
}

/** Makes the folder and everything in it. */
export async function buildFence(): Promise<BuiltFence> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-demo-"));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  // The user's umask may hide them from the shell's nobody, who starts inside this folder and cannot leave it.
  const delivery = join(folder, "shop/delivery");
  await chmod(delivery, 0o755);
  for (const name of ["zones.txt", "suppliers.txt"]) await chmod(join(delivery, name), 0o644);
  const shell = new TameShell(delivery);
  return {
    folder,
    readFile: (path) => readInside(folder, path),
    shell: (command) => shell.run(command),
    async remove() {
      await shell.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
