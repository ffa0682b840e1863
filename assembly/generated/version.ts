// Made from package.json by scripts/generate. DO NOT EDIT.

export const VERSION: string = "0.1.0";
