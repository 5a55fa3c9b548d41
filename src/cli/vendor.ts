/*!
 * This file bundles commander, cli-progress and chokidar with what they need, all under the MIT
 * licence:
 *   commander: Copyright (c) 2011 TJ Holowaychuk <tj@vision-media.ca>
 *   cli-progress: Copyright (c) 2015-2022 Andi Dittrich
 *   chokidar: Copyright (c) 2012 Paul Miller (https://paulmillr.com), Elan Shanker
 *   readdirp: Copyright (c) 2012-2019 Thorsten Lorenz, Paul Miller (https://paulmillr.com)
 *   string-width, strip-ansi, ansi-regex, is-fullwidth-code-point:
 *     Copyright (c) Sindre Sorhus <sindresorhus@gmail.com>
 *   emoji-regex: Copyright Mathias Bynens <https://mathiasbynens.be/>
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
 * associated documentation files (the "Software"), to deal in the Software without restriction,
 * including without limitation the rights to use, copy, modify, merge, publish, distribute,
 * sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions: The above copyright notice and this
 * permission notice shall be included in all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
 * NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
 * NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
 * DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */
import cliProgress from 'cli-progress';

export { watch } from 'chokidar';
export { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** One bar in a terminal. */
export const SingleBar: typeof cliProgress.SingleBar = cliProgress.SingleBar;
