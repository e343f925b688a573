import { access, constants, statfs } from 'node:fs/promises';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addonSources, findCompiler, planAddon } from './build-addon.js';
import { brokenFiles, cacheLocation, partsOf, readLibrary, strangeIn, type Library } from './cache.js';
import { checkKeys, firstLine } from './errors.js';
import type { Finding } from './finding.js';
import { gpuFindings, type GpuSituation } from './gpu-findings.js';
import {
  currentHost,
  describeHost,
  isSupported,
  isUntried,
  nvidiaDriver,
  wrongLibc,
  type Host,
} from './host.js';
import { howToNameIndex, readIndexSettings } from './index-settings.js';
import { findPip } from './pip-download.js';
import { kernelsFile, readKernels } from './kernels.js';
import { linkFile, readPlaced } from './place.js';
import { findPrebuilt } from './prebuilt.js';
import { describeProcessor, processor } from './processor.js';
import { findProject, findTfjsNode, type TfjsNode } from './project.js';
import { runCommand, type RunCommand } from './run-command.js';
import { selfTest } from './self-test.js';
import { testKernels } from './test-kernels.js';
import { resolveWasm } from './wasm.js';
import { targetFor } from './wheels.js';

/** What {@link doctor} found. */
export interface DoctorReport {
  /** The backend that `loadTensorFlow()` would choose here. */
  readonly backend: 'tensorflow' | 'wasm' | 'cpu';
  readonly device: 'cpu' | 'gpu';
  readonly findings: readonly Finding[];
  /** What to do next, in order. Empty: nothing. */
  readonly next: readonly string[];
}

/** What {@link doctor} looks at; tests pretend to be on another machine. */
export interface DoctorOptions {
  readonly dir?: string;
  readonly project?: string;
  readonly host?: Host;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
}

const installCommand = 'npx g2d-native install';

/** Looks at everything that an installation needs and at what is installed. Changes nothing. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  checkKeys(options, { dir: true, project: true, host: true, env: true, run: true });
  const { host = currentHost(), env = process.env, run = runCommand } = options;
  const supported = isSupported(host);
  const libc = wrongLibc(host);
  const findings: Finding[] = [
    isUntried(host)
      ? {
          name: 'platform',
          status: 'note',
          found: `${describeHost(host)}, for which TensorFlow is prepared but was never tried by those who made this`,
          advice:
            "npx g2d-native install tests it; what does not work is taken out again, tfjs-node's own installation is tried, then WebAssembly",
        }
      : supported
        ? { name: 'platform', status: 'ok', found: describeHost(host) }
        : {
            name: 'platform',
            status: 'problem',
            found: describeHost(host),
            advice: libc
              ? `TensorFlow's library ${libc}; or use WebAssembly`
              : "There is no usable wheel for this platform: tfjs-node's own installation is tried, then WebAssembly",
          },
    { name: 'processor', status: 'ok', found: describeProcessor(processor(env)) },
    nodeFinding(process.version),
  ];
  const installed = await installedFindings(options, env, run);
  const works = installed.device !== null;
  // What is needed to install matters only while something is missing.
  const tools = await toolFindings(options, env, run, works || !supported);
  findings.push(
    ...tools,
    ...(await gpuFindings({ ...installed, host, env, run, driver: nvidiaDriver() })),
    ...(await diskFinding(options, env, works)),
    ...installed.findings,
  );
  const wasm = resolveWasm() !== null;
  findings.push(
    wasm
      ? {
          name: 'wasm',
          status: 'ok',
          found: '@tensorflow/tfjs-backend-wasm is there for machines without TensorFlow',
        }
      : {
          name: 'wasm',
          status: 'problem',
          found: 'missing',
          advice: 'npm install @tensorflow/tfjs-backend-wasm',
        },
  );
  const next = findings.flatMap(({ status, advice }) => (status === 'problem' && advice ? [advice] : []));
  return {
    backend: works ? 'tensorflow' : wasm ? 'wasm' : 'cpu',
    device: installed.device ?? 'cpu',
    findings,
    next: [...new Set(next)],
  };
}

function nodeFinding(version: string): Finding {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  if (major >= 20) return { name: 'node', status: 'ok', found: version };
  return { name: 'node', status: 'problem', found: version, advice: 'Install Node 20, 22 or 24' };
}

async function toolFindings(
  options: DoctorOptions,
  env: NodeJS.ProcessEnv,
  run: RunCommand,
  optional: boolean,
): Promise<Finding[]> {
  const index = indexFinding(env);
  const prebuilt = await prebuiltFinding(options);
  const pip = await findPip(env, run);
  const compiler = await findCompiler(env, run);
  const missing = (isReplaced: boolean) => (optional || isReplaced ? 'note' : 'problem');
  return [
    index,
    pip
      ? { name: 'pip', status: 'ok', found: `${pip.version} (${[pip.command, ...pip.args].join(' ')})` }
      : {
          name: 'pip',
          status: missing(index.status === 'ok'),
          found: 'not found with $PYTHON, python3, python, pip3, pip',
          ...(index.status === 'ok' ? {} : { advice: `${capital(howToNameIndex)}; or install pip` }),
        },
    ...(prebuilt ? [prebuilt] : []),
    compiler
      ? { name: 'compiler', status: 'ok', found: `${compiler.command}: ${compiler.version}` }
      : {
          name: 'compiler',
          status: missing(prebuilt !== null),
          found: 'not found with $CXX, c++, g++, clang++',
          ...(prebuilt
            ? {}
            : {
                advice:
                  'Install a C++ compiler (Debian and Ubuntu: apt install g++; Fedora: dnf install gcc-c++)',
              }),
        },
  ];
}

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);

/** Where a wheel would come from without pip. */
function indexFinding(env: NodeJS.ProcessEnv): Finding {
  try {
    const settings = readIndexSettings({ env });
    return settings
      ? { name: 'package index', status: 'ok', found: `named by ${settings.from}` }
      : { name: 'package index', status: 'note', found: 'not named: pip is asked, which knows one' };
  } catch (error) {
    return {
      name: 'package index',
      status: 'problem',
      found: firstLine(error),
      advice: capital(howToNameIndex),
    };
  }
}

/** Whether nothing has to be compiled. */
async function prebuiltFinding(options: DoctorOptions): Promise<Finding | null> {
  const { host = currentHost() } = options;
  let tfjs: TfjsNode | null;
  try {
    tfjs = findTfjsNode(findProject(options.project));
  } catch {
    return null;
  }
  if (!tfjs || !existsSync(join(tfjs.folder, 'binding'))) return null;
  const prebuilt = findPrebuilt(host, 'addon', await addonSources(tfjs, targetFor(host).platform));
  return (
    prebuilt && {
      name: 'prebuilt',
      status: 'ok',
      found: `${prebuilt.package} has the add-on for ${tfjs.name} ${tfjs.version}`,
    }
  );
}

async function diskFinding(
  options: DoctorOptions,
  env: NodeJS.ProcessEnv,
  works: boolean,
): Promise<Finding[]> {
  const { path } = cacheLocation(options.dir, env);
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const { bavail, bsize } = await statfs(existing);
  const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
  if (!writable && !works) {
    const advice = 'Choose a cache folder that can be written with --dir or G2D_CACHE_DIR';
    return [{ name: 'cache', status: 'problem', found: `${path} cannot be written`, advice }];
  }
  return [{ name: 'cache', status: 'ok', found: `${path}${writable ? '' : ' (read-only)'}, ${free}` }];
}

async function installedFindings(
  options: DoctorOptions,
  env: NodeJS.ProcessEnv,
  run: RunCommand,
): Promise<{ findings: Finding[] } & Pick<GpuSituation, 'library' | 'device' | 'messages'>> {
  const nothing = { library: null, device: null, messages: () => Promise.resolve('') };
  let project: string;
  try {
    project = findProject(options.project);
  } catch (error) {
    const advice = 'Run this inside a project, or make one with npm init -y';
    return {
      ...nothing,
      findings: [{ name: 'project', status: 'problem', found: firstLine(error), advice }],
    };
  }
  const tfjs = findTfjsNode(project);
  if (!tfjs) {
    const found = `${project} has no @tensorflow/tfjs-node-gpu`;
    return {
      ...nothing,
      findings: [{ name: 'package', status: 'problem', found, advice: installCommand }],
    };
  }
  const findings: Finding[] = [
    { name: 'package', status: 'ok', found: `${tfjs.name} ${tfjs.version} in ${tfjs.folder}` },
  ];
  const placed = readPlaced(tfjs);
  // Without its flag the command would put the other build in place.
  const command = placed?.variant === 'gpu' ? `${installCommand} --gpu` : installCommand;
  if (placed) {
    const library = readLibrary(linkFile(tfjs));
    findings.push(await libraryFinding(library, command));
    if (library) findings.push(await ownersFinding(realpathSync(library.folder), tfjs, library, command));
  } else if (!existsSync(linkFile(tfjs))) {
    findings.push({ name: 'library', status: 'problem', found: 'not installed', advice: installCommand });
    return { ...nothing, findings };
  } else {
    findings.push({ name: 'library', status: 'note', found: `made by ${tfjs.name}'s own installer` });
  }
  const library = placed && {
    variant: placed.variant,
    folder: existsSync(linkFile(tfjs)) ? realpathSync(linkFile(tfjs)) : linkFile(tfjs),
  };
  try {
    const test = await selfTest(tfjs, { run });
    const device = test.device === 'gpu' ? 'GPU' : 'CPU';
    findings.push({
      name: 'self-test',
      status: 'ok',
      found: `TensorFlow ${test.tensorflow} (${device}) computes a convolution and its gradients correctly`,
    });
    // The CUDA build has none.
    if (placed && placed.variant !== 'gpu') findings.push(await kernelsFinding(tfjs, run));
    return { findings, library, device: test.device, messages: () => messagesOf(tfjs, run) };
  } catch (error) {
    const advice = `${command} --verify`;
    findings.push({ name: 'self-test', status: 'problem', found: firstLine(error), advice });
    return { ...nothing, findings, library };
  }
}

/** What TensorFlow writes while it looks for a GPU: with its usual settings nothing, and the names of missing libraries only on request. */
async function messagesOf(tfjs: TfjsNode, run: RunCommand): Promise<string> {
  let messages = '';
  const loud: RunCommand = async (command, args, options) => {
    const env = { ...options?.env, TF_CPP_MIN_LOG_LEVEL: '0', TF_CPP_VMODULE: 'dso_loader=1' };
    const result = await run(command, args, { ...options, env });
    messages = result.stderr;
    return result;
  };
  // It has passed a moment ago; now only what it writes is wanted.
  await selfTest(tfjs, { run: loud }).catch(() => null);
  return messages;
}

/** Never a problem: training works without them. */
async function kernelsFinding(tfjs: TfjsNode, run: RunCommand): Promise<Finding> {
  const advice = `${installCommand} --verify`;
  const kernels = readKernels(tfjs);
  if (!kernels?.sha256) {
    const why = kernels?.problem ?? 'they were not built yet';
    return { name: 'kernels', status: 'note', found: `training does without those in C++: ${why}`, advice };
  }
  const problem = await testKernels(tfjs, kernelsFile(tfjs), { run });
  return problem
    ? { name: 'kernels', status: 'note', found: problem, advice }
    : { name: 'kernels', status: 'ok', found: 'the training kernels in C++ agree with TensorFlow' };
}

async function libraryFinding(library: Library | null, command: string): Promise<Finding> {
  if (!library) return { name: 'library', status: 'problem', found: 'incomplete', advice: command };
  const { version, variant, files } = library.manifest;
  const name = `TensorFlow ${version} (${variant === 'gpu' ? 'CUDA build' : 'CPU build'})`;
  const broken = await brokenFiles(library);
  if (broken.length > 0) {
    const found = `${name} is damaged: ${broken.join(', ')}`;
    return { name: 'library', status: 'problem', found, advice: `${command} --verify` };
  }
  return { name: 'library', status: 'ok', found: `${name}, ${files.length} files, every hash is right` };
}

/** Who could put something else in the place of what this user's programs load. */
async function ownersFinding(
  folder: string,
  tfjs: TfjsNode,
  library: Library,
  command: string,
): Promise<Finding> {
  const cache = dirname(folder);
  const plan = await planAddon(cache, tfjs, library);
  const isBuilt = plan.prebuilt !== null && plan.prebuilt.sha256 !== readPlaced(tfjs)?.addon;
  const { file } = isBuilt ? await planAddon(cache, tfjs, library, true) : plan;
  const [strange] = strangeIn(partsOf(cache, folder, file));
  if (!strange) {
    return { name: 'owners', status: 'ok', found: 'nobody else can write to the library and the add-on' };
  }
  const advice = strange.isOurs
    ? `${command} closes it to them, and checks what is there`
    : 'Choose a cache of your own with --dir or G2D_CACHE_DIR, or let its owner close it (chmod -R go-w)';
  return { name: 'owners', status: 'problem', found: `${strange.path} ${strange.why}`, advice };
}

/** The report as text for a terminal. */
export function describeReport(report: DoctorReport): string {
  const signs = { ok: '  ok     ', note: '  note   ', problem: '  PROBLEM' };
  const lines = report.findings.map(({ name, status, found, advice }) => {
    const second = advice && status !== 'ok' ? `\n${' '.repeat(26)}→ ${advice}` : '';
    return `${signs[status]} ${name.padEnd(15)} ${found}${second}`;
  });
  const device = report.backend === 'tensorflow' ? ` (${report.device === 'gpu' ? 'GPU' : 'CPU'})` : '';
  const next =
    report.next.length === 0
      ? 'Nothing to do.'
      : `Next:\n${report.next.map((line) => `  ${line}`).join('\n')}`;
  return `${lines.join('\n')}\n\nloadTensorFlow() uses: ${report.backend}${device}\n${next}\n`;
}
