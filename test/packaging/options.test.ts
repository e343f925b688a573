// A misspelt option would change nothing in silence: every public function whose last parameter is an object of options checks its keys.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Whose last parameter has optional keys, and is no object of options. */
const OTHER: Readonly<Record<string, string>> = {
  G2DError: 'options of Error, which the platform reads',
  NativeError: 'options of Error, which the platform reads',
  checkFile: 'a place, for the words of an error',
  parseJson: 'a place, for the words of an error',
  runPickle: 'a dialect: functions that the machine calls',
  createProgress: 'a stream',
  inferenceOf: 'a model',
  encodedOf: 'what a pass gives',
  decodersOf: 'a model',
  fitLatents: 'what is fitted: tensors and numbers, all of which are needed but a mask and dropout',
  readState: 'a model',
  checkOptions: 'a place, for the words of an error',
  createOptimizer: 'what it does not know itself goes to the optimizer, which checks it',
  planSweep: 'a sweep that `readSweep` has checked',
  runKey: 'a configuration that `parseConfig` has checked',
  sweepStatus: 'a plan that `planSweep` has made',
};

/** The functions that check: the place of what they check among their arguments. */
const CHECKS: Readonly<Record<string, number>> = { checkKeys: 0, assertKnown: 0, checkOptions: 1 };

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<
    Record<string, { readonly '@g2d/source'?: string | { readonly default: string } }>
  >;
}

/** The public entries of all packages; `./internal` is for packages of this repository. */
const entries = readdirSync(join(root, 'packages')).flatMap((folder) => {
  const home = join(root, 'packages', folder);
  const { name, exports = {} } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest;
  return Object.entries(exports).flatMap(([path, { '@g2d/source': sources }]) => {
    const source = typeof sources === 'object' ? sources.default : sources;
    return source && path !== './internal' ? [{ name: join(name, path), file: join(home, source) }] : [];
  });
});

function programOf(files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return ts.createProgram(files, { ...options, noEmit: true });
}

type WithBody = ts.SignatureDeclaration & { readonly body?: ts.Node | undefined };

class Reader {
  readonly #checker: ts.TypeChecker;

  constructor(program: ts.Program) {
    this.#checker = program.getTypeChecker();
  }

  /** What a file exports and can be called with an object of options last: its names, and whether it checks that object. */
  functionsOf(file: ts.SourceFile): { name: string; checked: boolean }[] {
    const module = this.#checker.getSymbolAtLocation(file);
    return this.#checker.getExportsOfModule(module as ts.Symbol).flatMap((symbol) => {
      const found = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
      if (!found.valueDeclaration) return [];
      const type = this.#checker.getTypeOfSymbol(found);
      const signatures = [...type.getCallSignatures(), ...type.getConstructSignatures()];
      return signatures.some((signature) => this.#takesOptions(signature))
        ? [{ name: symbol.name, checked: this.#isChecked(found) }]
        : [];
    });
  }

  #takesOptions({ parameters }: ts.Signature): boolean {
    const last = parameters.at(-1);
    if (!last) return false;
    const type = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(last));
    return (type.isUnion() ? type.types : [type]).some(
      (form) =>
        (form.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 &&
        form.getCallSignatures().length === 0 &&
        !this.#checker.isArrayLikeType(form) &&
        form.getProperties().some(({ flags }) => flags & ts.SymbolFlags.Optional) &&
        // An object of a class, such as a tensor.
        !(form.symbol?.valueDeclaration && ts.isClassLike(form.symbol.valueDeclaration)),
    );
  }

  /** Whether the function hands its last parameter, as it came, to a function that checks keys. */
  #isChecked(symbol: ts.Symbol, seen = new Set<ts.Symbol>()): boolean {
    if (seen.has(symbol)) return false;
    seen.add(symbol);
    return (symbol.declarations ?? []).some((declaration) => {
      if (isDefinition(declaration)) return true;
      const inner = functionIn(declaration);
      const last = inner?.parameters.at(-1);
      return (
        inner?.body !== undefined &&
        last !== undefined &&
        ts.isIdentifier(last.name) &&
        this.#hands(inner.body, this.#checker.getSymbolAtLocation(last.name), seen)
      );
    });
  }

  #hands(node: ts.Node, options: ts.Symbol | undefined, seen: Set<ts.Symbol>): boolean {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const at = (node.arguments ?? []).findIndex(
        (argument) => this.#checker.getSymbolAtLocation(argument) === options,
      );
      const name = node.expression.getText();
      if (at >= 0 && Object.hasOwn(CHECKS, name)) return CHECKS[name] === at;
      const callee = at >= 0 ? this.#checker.getSymbolAtLocation(node.expression) : undefined;
      const target =
        callee && callee.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(callee) : callee;
      if (target && this.#isChecked(target, seen)) return true;
    }
    return ts.forEachChild(node, (child) => this.#hands(child, options, seen) || undefined) ?? false;
  }
}

/** What `defineFusion` and its like give checks its options with the definition's schema. */
const isDefinition = (declaration: ts.Declaration): boolean =>
  ts.isVariableDeclaration(declaration) &&
  declaration.initializer !== undefined &&
  ts.isCallExpression(declaration.initializer) &&
  /^define(Dataset|Encoder|Fusion|Method)$/.test(declaration.initializer.expression.getText());

/** The function that a declaration is or holds; of a class its constructor. */
function functionIn(declaration: ts.Declaration): WithBody | undefined {
  if (ts.isClassLike(declaration)) return declaration.members.find(ts.isConstructorDeclaration);
  if (ts.isVariableDeclaration(declaration)) {
    const { initializer } = declaration;
    return initializer && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
      ? initializer
      : undefined;
  }
  return ts.isFunctionDeclaration(declaration) ? declaration : undefined;
}

/** `name: checked` of everything with options in these files. */
function namesOf(files: readonly { readonly name: string; readonly file: string }[]) {
  const program = programOf(files.map(({ file }) => file));
  const reader = new Reader(program);
  return files.flatMap(({ name, file }) =>
    reader
      .functionsOf(program.getSourceFile(file) as ts.SourceFile)
      .map((found) => ({ ...found, from: name, file: relative(root, file) })),
  );
}

describe('options of public functions', () => {
  const found = namesOf(entries);

  it('are checked for unknown keys', () => {
    const silent = found.filter(({ name, checked }) => !checked && !Object.hasOwn(OTHER, name));
    expect(silent.map(({ from, name }) => `${name} of ${from}`)).toEqual([]);
    // The search itself sees those that there are.
    const checked = found.filter((each) => each.checked).map(({ name }) => name);
    expect(checked).toEqual(expect.arrayContaining(['readWav', 'trainRun', 'loadRun', 'accelerate', 'Adam']));
  });

  it('have no exception that is not needed', () => {
    const silent = found.filter(({ checked }) => !checked).map(({ name }) => name);
    expect(Object.keys(OTHER).filter((name) => !silent.includes(name))).toEqual([]);
  });
});
