/** Sets the theme before anything is drawn; a script of its own, since the page's policy forbids inline ones. */
import { applyTheme, savedTheme } from "./settings.ts";

applyTheme(savedTheme());
