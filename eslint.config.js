import tseslint from "typescript-eslint";

// Types are checked by tsc and layout by prettier; ESLint holds what neither sees. AssemblyScript is not TypeScript
// (operators on types, decorators on functions), so its folders are the compiler's business alone.
export default tseslint.config(
  {
    ignores: [
      "dist/",
      ".cache/",
      "assembly/",
      "tests/unit/",
      "tests/probe/",
      "tests/consumer/project/",
      "**/node_modules/",
    ],
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: ["test", "it", "describe", "suite"] },
      ],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // Every other file gets data and returns data: one place reads the command line and the environment.
    files: ["scripts/**/*.ts"],
    ignores: ["scripts/cli.ts", "scripts/generate/index.ts", "scripts/policy/emit-schemas.ts"],
    rules: {
      "no-restricted-properties": ["error", { object: "process", property: "argv" }],
    },
  },
);
