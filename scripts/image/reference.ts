/** Where an image goes: REGISTRY/REPOSITORY[:TAG], by the grammar of the OCI distribution specification, v1.1. */

export interface Reference {
  /** As people write it: host and port. */
  registry: string;
  repository: string;
  tag: string | null;
}

/** The name of Docker Hub, which serves the API elsewhere. */
const DOCKER_HUB = "docker.io";
const DOCKER_HUB_API = "registry-1.docker.io";

const REGISTRY = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const MAX_LENGTH = 255;

export function parseReference(text: string): Reference {
  const wrong = (why: string): never => {
    // A password that somebody has put before the host is not said again.
    throw new Error(`${JSON.stringify(text.replace(/^.*@/, "…@"))}: ${why}; expected REGISTRY/REPOSITORY[:TAG]`);
  };
  if (text.includes("://")) wrong("is an address");
  if (text.includes("@")) wrong("has a user or a digest in it");
  const slash = text.indexOf("/");
  if (slash < 0) wrong("has no repository");
  const registry = text.slice(0, slash);
  const [repository = "", tag = null, ...more] = text.slice(slash + 1).split(":");
  if (!REGISTRY.test(registry)) wrong("the registry is no host name");
  // As Docker reads it, a first part like this belongs to a repository of Docker Hub.
  if (!/[.:[]/.test(registry) && registry !== "localhost") wrong(`${registry} is no host name with a dot or a port`);
  if (!REPOSITORY.test(repository)) wrong("a repository is of small letters, digits and single . _ - between them");
  if (registry.length + repository.length > MAX_LENGTH) wrong(`has more than ${MAX_LENGTH} characters`);
  if (more.length > 0 || (tag !== null && !TAG.test(tag))) wrong("a tag is of letters, digits and . _ -");
  return { registry, repository, tag };
}

/** The host that serves the API of a registry. */
export const apiHost = (registry: string): string => (registry === DOCKER_HUB ? DOCKER_HUB_API : registry);

/** The name under which Docker's configuration keeps credentials of a registry. */
export const credentialName = (registry: string): string =>
  registry === DOCKER_HUB ? "https://index.docker.io/v1/" : registry;

/** The host name of a registry, without its port. */
export const hostOf = (registry: string): string => new URL(`http://${registry}`).hostname.replace(/^\[|\]$/g, "");
