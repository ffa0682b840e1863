// The first look at a value, for tests.

export { classify } from "../../assembly/core/classify";
