/**
 * Loaded before the collector, in each of its threads, makes its disk full: while the file $MESHWARD_TEST_FULL is there, so many more
 * bytes can be written as it says, then every write fails with ENOSPC. Standard output and error are not of the disk.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const file = process.env.MESHWARD_TEST_FULL ?? "";
const writeSync = fs.writeSync.bind(fs);
let written = 0;
let room = Infinity;

fs.writeSync = (fd, data, ...rest) => {
  const isFull = fs.existsSync(file);
  if (isFull && room === Infinity) room = written + Number(fs.readFileSync(file, "utf8"));
  if (!isFull) room = Infinity;
  const bytes = typeof rest[1] === "number" ? rest[1] : data.length;
  if (fd > 2 && written + bytes > room) {
    const { errno, message } = { errno: -28, message: "ENOSPC: no space left on device, write" };
    throw Object.assign(new Error(message), { code: "ENOSPC", errno, syscall: "write" });
  }
  written += bytes;
  return writeSync(fd, data, ...rest);
};
syncBuiltinESMExports();
