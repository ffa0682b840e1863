/** The orders: who bought what, and what that costs. */
import type { Express } from "express";
import type { Place } from "../ground/ground.ts";
import { createService } from "../ground/web.ts";
import { access } from "./access.ts";
import { annex } from "./annex.ts";
import { counter } from "./counter.ts";
import { desk } from "./desk.ts";
import { imports } from "./imports.ts";
import { internal } from "./internal.ts";
import { ledger } from "./ledger.ts";
import { legacy } from "./legacy.ts";
import { orders } from "./orders.ts";

export const ordersService = (place: Place): Express =>
  createService(
    ...[imports(place), orders(place), internal(place), access(place), legacy(place)],
    ...[ledger(place), desk(place), counter(place), annex(place)],
  );
