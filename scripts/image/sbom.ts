/**
 * What something is made of, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): small, without times and serial numbers, so that
 * the same contents give the same document.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot, packageVersion } from "../package.ts";
import { RULES } from "../policy/rules.generated.ts";
import { sha256 } from "./oci.ts";

export interface Component {
  type: "application" | "library" | "data" | "container" | "platform";
  name: string;
  version?: string;
  /** An SPDX identifier or expression, or the name of one that SPDX does not list. */
  license?: string;
  /** Package URL. */
  purl?: string;
  /** sha256:… */
  digest?: string;
  properties?: Readonly<Record<string, string>>;
}

const propertiesOf = (properties: Readonly<Record<string, string>> = {}): object => {
  const list = Object.entries(properties).map(([name, value]) => ({ name: `meshward:${name}`, value }));
  return list.length === 0 ? {} : { properties: list };
};

/** An identifier, or several joined. */
function licenses(license: string): object[] {
  const text = license.trim();
  if (/^[A-Za-z0-9.+-]+$/.test(text)) return [{ license: { id: text } }];
  return /^\(?[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [()A-Za-z0-9.+-]+)+\)?$/.test(text)
    ? [{ expression: text }]
    : [{ license: { name: text } }];
}

const refOf = ({ purl, name, version }: Component): string =>
  purl ?? (version === undefined ? name : `${name}@${version}`);

const componentOf = (component: Component): object => ({
  type: component.type,
  "bom-ref": refOf(component),
  name: component.name,
  ...(component.version === undefined ? {} : { version: component.version }),
  ...(component.digest === undefined
    ? {}
    : { hashes: [{ alg: "SHA-256", content: component.digest.slice("sha256:".length) }] }),
  ...(component.license === undefined ? {} : { licenses: licenses(component.license) }),
  ...(component.purl === undefined ? {} : { purl: component.purl }),
  ...propertiesOf(component.properties),
});

/** The document of `subject` with `parts` in it; `properties` are of the document. */
export function sbomOf(
  subject: Component,
  parts: readonly Component[],
  properties: Readonly<Record<string, string>>,
): object {
  const sorted = [...parts].sort((a, b) => (refOf(a) < refOf(b) ? -1 : 1));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      tools: { components: [{ type: "application", name: "meshward", version: packageVersion() }] },
      component: componentOf(subject),
      ...propertiesOf(properties),
    },
    components: sorted.map(componentOf),
    dependencies: [{ ref: refOf(subject), dependsOn: sorted.map(refOf) }],
  };
}

/** npm's package URL: the `@` of a scope is written out (https://github.com/package-url/purl-spec). */
export const npmUrl = (name: string, version: string): string => `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;

/** What is compiled into the module besides our own code, with the licences that their packages name. */
const COMPILED_IN = { assemblyscript: "Apache-2.0", "@solo-io/proxy-runtime": "Apache-2.0" };

/** The document of the module; `images` are the digests of its forms. */
export function moduleSbom(module: Buffer, images: Readonly<Record<string, string>>): object {
  const version = packageVersion();
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    devDependencies: Record<keyof typeof COMPILED_IN, string>;
  };
  const libraries = Object.entries(COMPILED_IN).map(([name, license]): Component => {
    const pinned = manifest.devDependencies[name as keyof typeof COMPILED_IN];
    return { type: "library", name, version: pinned, license, purl: npmUrl(name, pinned) };
  });
  const rules: Component = {
    ...{ type: "data", name: "meshward-rules", version, license: "Apache-2.0" },
    properties: { rules: String(RULES.length) },
  };
  const subject: Component = {
    ...{ type: "library", name: "meshward.wasm", version, license: "Apache-2.0" },
    digest: sha256(module),
  };
  const digests = Object.entries(images).map(([form, digest]) => [`image:${form}`, digest]);
  return sbomOf(subject, [...libraries, rules], Object.fromEntries(digests));
}
