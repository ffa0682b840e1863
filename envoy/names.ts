/** What the pieces of the configuration call each other, and what others know them by. */

/** The name of the filter, its ECDS resource, its Wasm root and its VM. */
export const FILTER_NAME = "meshward";

/** The names of the listeners. */
export const INBOUND_LISTENER = "ingress";
export const OUTBOUND_LISTENER = "egress";

/** Also the name of the cluster behind: the admin interface. */
export const METRICS_LISTENER = "metrics";

/** The ECDS resource of the filter for the service's own calls; its statistics and its cluster are called so, too. */
export const OUTBOUND_NAME = "meshward_outbound";

/** Paths below `root`. */
export const BOOTSTRAP_FILE = "envoy.yaml";
export const MODULE_FILE = "meshward.wasm";
export const ECDS_FOLDER = "ecds";
export const ECDS_FILE = `${ECDS_FOLDER}/meshward.yaml`;
export const OUTBOUND_FILE = `${ECDS_FOLDER}/outbound.yaml`;
export const XDS_FOLDER = "xds";
export const LDS_FILE = `${XDS_FOLDER}/lds.yaml`;
export const CDS_FILE = `${XDS_FOLDER}/cds.yaml`;

/** Variables of Envoy's environment that the module is given: the collector's token, and the keys of findings across services. */
export const SECRETS = ["MESHWARD_OTLP_TOKEN", "MESHWARD_HOP_KEY", "MESHWARD_HOP_KEY_PREVIOUS"] as const;

/** The labels of Meshward's statistics (`LABEL=.=VALUE;.;` in their names). */
export const STAT_LABELS = ["outcome", "class", "action", "rule", "mode", "what", "version", "policy"] as const;

/** Stands in the 503 to a request that a crash of the module cost and that the service has seen nothing of. */
export const RETRY_HEADER = "x-meshward-retry";
