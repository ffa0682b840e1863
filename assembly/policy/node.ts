// Which workload this proxy is, as the host's node metadata says; set by filter/configure.ts before a policy is read.

import { sameBytes } from "../core/bytes";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";

let namespace: usize = 0;
let namespaceEnd: usize = 0;
let service: usize = 0;
let serviceEnd: usize = 0;
let labels: usize = 0;
let labelsEnd: usize = 0;

/** Forgets the node: no section of a policy is its own. */
export function clearNode(): void {
  namespace = namespaceEnd = service = serviceEnd = labels = labelsEnd = 0;
}

/** The Kubernetes namespace. */
export function setNamespace(start: usize, end: usize): void {
  namespace = start;
  namespaceEnd = end;
}

/** The service, as `readServiceName` (filter/property) finds it. */
export function setService(start: usize, end: usize): void {
  service = start;
  serviceEnd = end;
}

/** The pod's labels, as a serialized map. */
export function setLabels(start: usize, end: usize): void {
  labels = start;
  labelsEnd = end;
}

export function namespaceIs(start: usize, end: usize): bool {
  return sameBytes(namespace, namespaceEnd, start, end);
}

export function serviceIs(start: usize, end: usize): bool {
  return sameBytes(service, serviceEnd, start, end);
}

/** Whether the pod carries the label `key` with that value. */
export function labelIs(key: usize, keyEnd: usize, value: usize, valueEnd: usize): bool {
  return findLabel(key, keyEnd) && sameBytes(labelValue, labelValueEnd, value, valueEnd);
}

/** The value of the label that `findLabel` has found. */
export let labelValue: usize = 0;
export let labelValueEnd: usize = 0;

/** Whether the pod carries the label `key`. */
export function findLabel(key: usize, keyEnd: usize): bool {
  openPairs(labels, labelsEnd);
  while (nextPair()) {
    if (!sameBytes(pairName, pairNameEnd, key, keyEnd)) continue;
    labelValue = pairValue;
    labelValueEnd = pairValueEnd;
    return true;
  }
  return false;
}
