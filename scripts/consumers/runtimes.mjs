// Node, Bun and Deno: import, require where there is such a thing, and the kernels from their file.
import { check, rankingProblems, run } from './report.mjs';

/** Returns what this Node printed, which every other consumer has to print too. */
export function checkNode(tools, esm, commonjs) {
  const nodes = [process.execPath, tools.binary('newest Node')].filter(Boolean);
  let expected;
  for (const binary of nodes) {
    const name = `Node ${run(binary, ['-p', 'process.versions.node'], esm).stdout}`;
    for (const [kind, cwd, file] of [
      ['import', esm, 'main.js'],
      ['require', commonjs, 'main.js'],
      ['import, init with the file of the kernels', esm, 'init.js'],
    ]) {
      const result = run(binary, [file], cwd);
      expected ??= result.stdout;
      check(`${name}, ${kind}: ${result.stdout.slice(0, 80)}`, rankingProblems(result, expected));
    }
    for (const entry of ['lemur/encoder', 'lemur/ai']) {
      const { ok, output } = run(binary, ['-e', `import('${entry}')`], esm);
      check(
        `${name}: ${entry} can be imported where its optional packages are not installed`,
        !ok && output,
      );
    }
    const langchain = run(binary, ['-e', "import('lemur/langchain')"], esm);
    check(
      `${name}: lemur/langchain names the package that it needs`,
      !/Cannot find package '@langchain\/core'/.test(langchain.output) && langchain.output,
    );
  }
  return expected;
}

export function checkCommand(esm) {
  const { ok, output } = run('npx', ['--no-install', 'lemur', '--help'], esm);
  check('npx lemur --help', [
    !ok && output,
    ok && !/search/.test(output) && `it does not name its commands: ${output}`,
  ]);
}

export function checkOtherRuntimes(tools, esm, commonjs, expected) {
  const bun = tools.binary('Bun');
  const deno = tools.binary('Deno');
  const runs = [];
  if (bun) {
    const name = `Bun ${run(bun, ['--version'], esm).stdout}`;
    runs.push(
      [`${name}, import`, bun, ['main.js'], esm],
      [`${name}, require`, bun, ['main.js'], commonjs],
      [`${name}, init with the file of the kernels`, bun, ['init.js'], esm],
    );
  }
  if (deno) {
    const name =
      `Deno ${run(deno, ['eval', 'console.log(Deno.version.deno)'], esm).stdout}, ` +
      '--allow-read';
    const permissions = ['run', '--no-prompt', '--allow-read'];
    runs.push(
      [`${name}, import`, deno, [...permissions, 'main.js'], esm],
      [`${name}, require`, deno, [...permissions, 'main.js'], commonjs],
      [`${name}, init with the file of the kernels`, deno, [...permissions, 'init.js'], esm],
    );
  }
  for (const [name, binary, args, cwd] of runs)
    check(name, rankingProblems(run(binary, args, cwd), expected));
}
