/** The catalogue: products and everything that belongs to them. */
import type { Express } from "express";
import type { Place } from "../ground/ground.ts";
import { createService } from "../ground/web.ts";
import { annex } from "./annex.ts";
import { depot } from "./depot.ts";
import { feeds } from "./feeds.ts";
import { files } from "./files.ts";
import { legacy } from "./legacy.ts";
import { media } from "./media.ts";
import { products } from "./products.ts";
import { supply } from "./supply.ts";

export const catalogueService = (place: Place): Express =>
  createService(
    products(place),
    files(place),
    media(place),
    feeds(place),
    legacy(place),
    supply(place),
    depot(place),
    annex(place),
  );
