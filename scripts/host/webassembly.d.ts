// The part of the WebAssembly JavaScript API that the host and the tests use. TypeScript has it only in its "dom" library, whose
// other globals do not exist in Node.

declare namespace WebAssembly {
  type ImportExportKind = "function" | "global" | "memory" | "table";
  interface ModuleExportDescriptor {
    name: string;
    kind: ImportExportKind;
  }
  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    module: string;
  }
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a guest's function has any type
  type ModuleImports = Record<string, Function | Memory>;
  type Imports = Record<string, ModuleImports>;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as above
  type Exports = Record<string, Function | Memory>;

  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): ModuleExportDescriptor[];
    static imports(module: Module): ModuleImportDescriptor[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class RuntimeError extends Error {}

  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
