/** The edge: the shop's pages, and its way in. */
import type { Express } from "express";
import type { Place } from "../ground/ground.ts";
import { createService } from "../ground/web.ts";
import { account } from "./account.ts";
import { annex } from "./annex.ts";
import { docs } from "./docs.ts";
import { forum } from "./forum.ts";
import { gateway } from "./gateway.ts";
import { help } from "./help.ts";
import { leaving } from "./leaving.ts";
import { mine } from "./mine.ts";
import { pages } from "./pages.ts";
import { search } from "./search.ts";
import { studio } from "./studio.ts";
import { support } from "./support.ts";

export const edgeService = (place: Place): Express =>
  createService(
    ...[search(place), leaving(), gateway(place), account(place), pages(), support(place), help()],
    ...[forum(), studio(), mine(place), docs(), annex()],
  );
