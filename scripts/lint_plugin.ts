import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FUNCTION_LINES_MAX = 40;

/** Which places each layer may import from: a folder of `lib`, or one file of it. The layer itself is always allowed. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  core: ["base"],
  config: ["base", "core"],
  net: ["base"],
  host: ["base", "core"],
  dcs: ["base", "core", "net"],
  postgres: ["base", "core", "net", "host"],
  runtime: ["base", "core", "dcs/port.ts", "host/port.ts", "postgres/port.ts"],
  api: ["base", "core", "net", "runtime/board.ts", "runtime/mailbox.ts", "dcs/port.ts"],
  cli: ["base", "core", "config", "net", "host", "dcs", "postgres", "runtime", "api"],
};

/** Packages that are pure themselves. */
const PURE_PACKAGES: readonly string[] = ["valibot"];

/** Names that reach the outside world, a clock or chance. */
const IMPURE_NAMES: ReadonlySet<string> = new Set([
  "Deno",
  "performance",
  "crypto",
  "console",
  "fetch",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "Promise",
  "process",
  "globalThis",
  "localStorage",
]);

/** The layer of a file below `lib`, or null for every other file. */
function layerOf(path: string): string | null {
  const [top, layer, rest] = path.split("/");
  return top === "lib" && layer !== undefined && rest !== undefined ? layer : null;
}

/** Why `file` must not import `source`, or null when it may. Both file names count from the project's root. */
function importFault(file: string, source: string): string | null {
  const layer = layerOf(file);
  if (layer === null) return null;
  if (!source.startsWith(".")) return packageFault(layer, source);
  const target = join(dirname(file), source);
  const other = layerOf(target);
  if (other === null) return `Cannot import "${source}" in layer ${layer}: it is outside lib`;
  if (other === layer) return null;
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return `Cannot import from layer ${layer}: it is not in the table`;
  const inLib = target.slice("lib/".length);
  if (allowed.includes(other) || allowed.includes(inLib)) return null;
  return `Cannot import "${inLib}" in layer ${layer}: it may import ${allowed.join(", ")}`;
}

function packageFault(layer: string, source: string): string | null {
  if (layer !== "core" || PURE_PACKAGES.includes(source)) return null;
  return `Cannot import "${source}" in lib/core: the core is pure`;
}

function fileOf(context: Deno.lint.RuleContext): string {
  return relative(ROOT, context.filename);
}

/** Imports go downwards only (table above). */
const layers: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const check = (node: Deno.lint.Node, source: string): void => {
      const message = importFault(fileOf(context), source);
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node): void => check(node, node.source.value),
      ExportNamedDeclaration: (node): void => {
        if (node.source !== null) check(node, node.source.value);
      },
      ImportExpression: (node): void => {
        if (node.source.type === "Literal" && typeof node.source.value === "string") {
          check(node, node.source.value);
        }
      },
    };
  },
};

/** `export *` and `export … from` hide where a name lives. */
const noBarrel: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const report = (node: Deno.lint.Node): void =>
      context.report({
        node,
        message: "Cannot export from another file: import it where it lives",
      });
    return {
      ExportAllDeclaration: report,
      ExportDefaultDeclaration: (node): void => {
        if (layerOf(fileOf(context)) !== null) report(node);
      },
      ExportNamedDeclaration: (node): void => {
        if (node.source !== null) report(node);
      },
    };
  },
};

/** True for the name in `x.name` and in `{ name: x }`: a field, not a global. */
function isField(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (parent.type === "Property") return parent.key === node && parent.value !== node;
  return parent.type === "TSPropertySignature" || parent.type === "TSMethodSignature" ||
    parent.type === "TSQualifiedName";
}

/** No clock, chance, log, promise or operating system in `lib/core`. */
const pureCore: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    if (layerOf(fileOf(context)) !== "core") return {};
    const report = (node: Deno.lint.Node, what: string): void =>
      context.report({ node, message: `Cannot use ${what} in lib/core: the core is pure` });
    const noAsync = (node: Deno.lint.Node & { async: boolean }): void => {
      if (node.async) report(node, "an async function");
    };
    return {
      Identifier: (node): void => {
        if (IMPURE_NAMES.has(node.name) && !isField(node)) report(node, node.name);
      },
      "MemberExpression[object.name='Date'][property.name='now']": (node: Deno.lint.Node): void =>
        report(node, "Date.now"),
      "MemberExpression[object.name='Math'][property.name='random']": (
        node: Deno.lint.Node,
      ): void => report(node, "Math.random"),
      NewExpression: (node): void => {
        const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
        if (isDate && node.arguments.length === 0) report(node, "the present time");
      },
      AwaitExpression: (node): void => report(node, "await"),
      FunctionDeclaration: noAsync,
      FunctionExpression: noAsync,
      ArrowFunctionExpression: noAsync,
    };
  },
};

/** A function fits on one screen. */
const functionLength: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const check = (node: Deno.lint.Node): void => {
      const lines = context.sourceCode.getText(node).split("\n").length;
      if (lines <= FUNCTION_LINES_MAX) return;
      context.report({
        node,
        message: `Cannot accept a function of ${lines} lines: at most ${FUNCTION_LINES_MAX}`,
      });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "agent",
  rules: {
    "layers": layers,
    "no-barrel": noBarrel,
    "pure-core": pureCore,
    "function-length": functionLength,
  },
};

export default plugin;
