/**
 * The library in the URL of a script, where the module leaves it to a guess: the version is a folder of its own, or part of one.
 *
 *   cdn.example/bootstrap/3.3.7/js/bootstrap.min.js     the folder before is called as the file is
 *   code.jquery.com/ui/1.12.1/jquery-ui.js              or as the end of it
 *   code.angularjs.org/1.5.8/angular.min.js             or there is none, and the host is called so
 *   /vendor/tinymce-4.1.0/tinymce.min.js                the folder has both
 *   /static/1.4.2/jquery.js                             none of them: the release of a site
 */

const VERSION = "v?(\\d{1,3}(?:\\.\\d{1,8}){1,5}(?:[-.]?[a-z]{1,5}[-.]?\\d{1,2})?)";
const WHOLE = new RegExp(`^${VERSION}$`);
const PARTED = new RegExp(`^(.{1,64}?)[-._]${VERSION}(?![a-z0-9])`);
const NAME = /^[a-z][a-z0-9._-]*$/;

/** Whether a text has a version, and not as a part of a hash. */
export const hasVersion = (text: string): boolean => /(?<![a-z0-9])\d{1,3}(?:\.\d{1,8})+(?![a-z0-9])/.test(text);

/** A name and its version in `url`, HOST/PATH or /PATH in small letters; null for none. */
export function libraryIn(url: string): { name: string; version: string } | null {
  const [host = "", ...folders] = url.split("/");
  const file = (folders.pop() ?? "").replace(/(?:[.-]min)?\.[a-z]+$/, "");
  for (const [at, folder] of folders.entries()) {
    const before = folders[at - 1] ?? "";
    const [, whole] = WHOLE.exec(folder) ?? [];
    const [, parted = "", version = ""] = PARTED.exec(folder) ?? [];
    const found =
      whole === undefined ? isAkin(parted, file) && { name: parted, version } : named(host, before, file, whole);
    if (found && NAME.test(found.name)) return found;
  }
  return null;
}

function named(host: string, before: string, file: string, version: string): { name: string; version: string } | false {
  if (before === "") return file.length >= 5 && host.includes(file.slice(0, 5)) && { name: file, version };
  if (file.endsWith(before)) return { name: file, version };
  return (isAkin(before, file) || (file.length > 1 && before.endsWith(file))) && { name: before, version };
}

/** Whether two names begin with the same three letters. */
const isAkin = (a: string, b: string): boolean => a.length >= 3 && b.length >= 3 && a.slice(0, 3) === b.slice(0, 3);
