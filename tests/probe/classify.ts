import { classify } from "../../assembly/core/classify";
import { putDecimal } from "../../assembly/core/bytes";
const INPUT: usize = memory.data(65536);
export function input(): usize { return INPUT; }
export function classifyInput(size: usize): u32 { return classify(INPUT, INPUT + size); }
export function dec(n: u64): usize { return putDecimal(INPUT, n) - INPUT; }
