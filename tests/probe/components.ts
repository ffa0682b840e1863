// assembly/inspect/components.ts for tests.

export {
  componentAt,
  componentCount,
  componentEnd,
  readHeaderComponents,
  readPageComponents,
  readScriptComponents,
} from "../../assembly/inspect/components";
