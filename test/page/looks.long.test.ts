import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHandler, serve } from '../../dist/entry/node-server.js';
import { type SmallServer, smallServer } from '../server/small-server.js';
import { hasChromium, launch, openPage } from './chromium.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

/** What of a page keeps people from using it. */
async function graveProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate('axe.run()');
  const { violations } = found as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations
    .filter(({ impact }) => /serious|critical/.test(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
    );
}

/** What reaches beyond the window, from the outside in. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const all = [...document.querySelectorAll('body *')];
    const beyond = all.filter((one) => one.getBoundingClientRect().right > innerWidth);
    return ['the page is too wide', ...beyond.map(({ outerHTML }) => outerHTML.slice(0, 120))];
  });

describe.skipIf(!hasChromium)('how the search page looks', { timeout: 180_000 }, () => {
  let browser: Browser;
  let open: SmallServer;
  let locked: SmallServer;
  let several: string;
  beforeAll(async () => {
    browser = await launch();
    open = await smallServer({}, { passages: { size: 40 } });
    const word = 'Donaudampfschifffahrtsgesellschaft'.repeat(8);
    await open.index.add(
      Array.from({ length: 20 }, (_, i) => ({
        id: `${word}${i}`,
        text: `# ${word}\n\nStatins ${word} ${i}. ${'They lower cholesterol. '.repeat(20)}`,
        metadata: {
          lang: ['en', 'de', word][i % 3],
          year: 2000 + i,
          kind: `kind ${i % 9}`,
          old: i > 2,
        },
      })),
    );
    locked = await smallServer({ apiKey: 'secret' });
    const other = await smallServer();
    const handler = createHandler({ papers: open.index, [`other${'-'.repeat(58)}`]: other.index });
    const listening = await serve(handler, { port: 0 });
    several = listening.url;
    afterAll(() => listening.close());
  });
  afterAll(() => browser?.close());

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each([
      ['wide', 1280],
      ['narrow', 390],
      ['of 320 pixels', 320],
    ])('and %s: nobody is kept out, and nothing is wider than the window', async (_, width) => {
      const viewport = { width, height: 800 };
      const problems: string[] = [];
      const look = async (page: Page): Promise<void> => {
        problems.push(...(await graveProblems(page)), ...(await tooWide(page)));
      };
      const options = { colorScheme, viewport };
      const wrong: (readonly string[])[] = [];
      const view = async (url: string, path = '/'): Promise<Page> => {
        const watched = await openPage(browser, url, path, options);
        wrong.push(watched.wrong);
        return watched.page;
      };
      await look(await view(open.url));
      await look(await view(locked.url));
      const page = await view(several, '/?q=what+do+statins+lower%3F&is.lang=en');
      await page.locator('#filters').evaluate((details) => details.setAttribute('open', ''));
      await page.locator('#hits h2 button').first().click();
      await page.locator('.whole p').first().waitFor();
      expect(await page.locator('#hits > li').count()).toBeGreaterThan(3);
      await look(page);
      await page.route('**/search', (route) => route.abort());
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('alert').waitFor();
      await look(page);
      expect(problems).toEqual([]);
      expect(wrong.flat()).toEqual([]);
    });
  });
});
