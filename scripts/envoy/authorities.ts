/** Where this system keeps the certificate authorities that it trusts: Envoy has to be told. */
import { access } from "node:fs/promises";
import { AUTHORITIES_FILE } from "../../envoy/cluster.ts";

const PLACES = [
  AUTHORITIES_FILE,
  "/etc/pki/tls/certs/ca-bundle.crt", // Fedora, RHEL
  "/etc/ssl/ca-bundle.pem", // openSUSE
  "/etc/ssl/cert.pem", // macOS, Alpine
];

/** `SSL_CERT_FILE` if it is set, else the first file that exists; Debian's if none does. */
export async function systemAuthorities(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.SSL_CERT_FILE) return env.SSL_CERT_FILE;
  for (const place of PLACES) {
    if (
      await access(place).then(
        () => true,
        () => false,
      )
    )
      return place;
  }
  return AUTHORITIES_FILE;
}
