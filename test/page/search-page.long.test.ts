import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IndexDocument } from '../../dist/entry/node.js';
import { type SmallServer, smallServer } from '../server/small-server.js';
import {
  hasChromium,
  launch,
  openPage,
  statusOf,
  titlesOf,
  untilAnswered,
  type WatchedPage,
} from './chromium.js';

const MARKUP = '<script>window.hacked = 1</script><img src=x onerror="window.hacked=2">';
const RED = 'Some flowers are red. '.repeat(8);
/** Besides those of the small server. */
const DOCUMENTS: readonly IndexDocument[] = [
  {
    id: 'flowers.md',
    text: `# Flowers\n\n${RED}\n\n## Hive\n\nBees gather pollen there.`,
    metadata: { title: 'About flowers', year: 1990, lang: 'en', path: 'garden/flowers.md' },
  },
  {
    id: `${MARKUP}.md`,
    text: `# ${MARKUP}\n\nHostile bees: ${MARKUP} </p></li><b>bold</b> &amp;`,
    metadata: { title: MARKUP, lang: `en ${MARKUP}`, year: 2000, url: 'javascript:hacked=3' },
  },
  ...Array.from({ length: 22 }, (_, i) => ({
    id: `list/${i}.md`,
    text: `Weather number ${i} is rain.`,
    metadata: { year: 1980 + i, lang: i % 2 ? 'de' : 'en' },
  })),
];

describe.skipIf(!hasChromium)('the search page in Chromium', { timeout: 180_000 }, () => {
  let browser: Browser;
  let server: SmallServer;
  const opened: WatchedPage[] = [];
  const open = async (path = '/', options = {}, at = server.url): Promise<Page> => {
    const watched = await openPage(browser, at, path, options);
    opened.push(watched);
    return watched.page;
  };
  const asked = async (page: Page, query: string): Promise<void> => {
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('/');
    await page.keyboard.type(query);
    await page.keyboard.press('Enter');
    await untilAnswered(page);
  };

  beforeAll(async () => {
    browser = await launch();
    server = await smallServer({}, { passages: { size: 40 } });
    await server.index.add(DOCUMENTS);
  });
  afterAll(async () => {
    await browser?.close();
    expect(opened.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test('a question is typed, asked and answered with what matched', async () => {
    const page = await open();
    expect(await statusOf(page)).toMatch(/^27 documents in 2\d passages$/);
    await asked(page, 'where do bees gather pollen?');
    expect(await statusOf(page)).toBe('The best 10 documents.');
    const first = page.locator('#hits > li').first();
    expect(await first.locator('h2').textContent()).toBe('About flowers');
    expect(await first.locator('.place').textContent()).toMatch(
      /^garden\/flowers\.md:7 · similarity 0\.\d\d$/,
    );
    expect(await first.locator('.headings').textContent()).toMatch(/^Flowers/);
    const marks = await first.locator('.piece mark').allTextContents();
    expect(marks.join(' ')).toMatch(/Bees gather pollen/);
    expect(await first.locator('mark.strong').count()).toBeGreaterThan(0);
    expect(new URL(page.url()).search).toBe('?q=where+do+bees+gather+pollen%3F');
    expect(await page.title()).toBe('where do bees gather pollen? – papers');
  });

  test('back and forward go through the questions', async () => {
    const page = await open('/?q=white+snow');
    expect((await titlesOf(page))[0]).toBe('a/b c');
    await asked(page, 'statins');
    expect((await titlesOf(page))[0]).toBe('statins');
    await page.goBack();
    await page.waitForFunction(() => document.title.startsWith('white snow'));
    await untilAnswered(page);
    expect((await titlesOf(page))[0]).toBe('a/b c');
    expect(await page.locator('#query').inputValue()).toBe('white snow');
    await page.goForward();
    await page.waitForFunction(() => document.title.startsWith('statins'));
    await untilAnswered(page);
    expect((await titlesOf(page))[0]).toBe('statins');
  });

  test('filters leave what passes, stand in the address, and are cleared', async () => {
    const page = await open('/?q=rain');
    await page.getByLabel('from').fill('1990');
    await page.keyboard.press('Tab');
    await untilAnswered(page);
    await page.getByLabel('de', { exact: true }).check();
    await page.waitForURL(/is\.lang=de/);
    await untilAnswered(page);
    expect(new URL(page.url()).search).toBe('?q=rain&is.lang=de&from.year=1990');
    const numbers = (await titlesOf(page)).map((title) => Number(/\d+/.exec(title)?.[0]));
    expect(numbers.sort((a, b) => a - b)).toEqual([11, 13, 15, 17, 19, 21]);
    expect(await statusOf(page)).toBe('6 documents, the best first.');
    // the keyboard stays where it was
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe(
      'checkbox',
    );
    await page.reload();
    await untilAnswered(page);
    expect(await page.getByLabel('de', { exact: true }).isChecked()).toBe(true);
    expect(await titlesOf(page)).toHaveLength(6);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await untilAnswered(page);
    expect(new URL(page.url()).search).toBe('?q=rain');
    expect(await titlesOf(page)).toHaveLength(10);
  });

  test('the way of asking is chosen', async () => {
    const page = await open('/?q=weather');
    await page.getByText('Keywords', { exact: true }).click();
    await page.waitForURL(/mode=keywords/);
    await untilAnswered(page);
    expect((await titlesOf(page)).every((title) => title.startsWith('list/'))).toBe(true);
    await page.getByLabel('Group by document').uncheck();
    await page.waitForURL(/apart=1/);
    await untilAnswered(page);
    expect(await statusOf(page)).toBe('The best 10 passages.');
  });

  test('markup in documents is text', async () => {
    const page = await open('/?q=hostile+bees');
    const hit = page.locator('#hits > li', { hasText: 'Hostile' });
    expect(await hit.locator('h2').textContent()).toBe(MARKUP);
    await hit.locator('h2 button').click();
    await hit.locator('.whole p').first().waitFor();
    const shown = (await hit.locator('.whole').textContent()) ?? '';
    expect(shown).toContain(`Hostile bees: ${MARKUP} </p></li><b>bold</b> &amp;`);
    expect(await hit.locator('.piece').textContent()).toContain('onerror=');
    expect(await page.locator('main :is(script, img, b, a)').count()).toBe(0);
    expect(await page.locator('.field', { hasText: MARKUP }).count()).toBe(1);
    await page.goto(`${server.url}/?q=${encodeURIComponent(MARKUP)}`);
    await untilAnswered(page);
    expect(await page.title()).toBe(`${MARKUP} – papers`);
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  });

  test('the keyboard walks through the hits, opens them and goes back', async () => {
    const page = await open('/?q=rain');
    const focused = (): Promise<string> =>
      page.evaluate(
        () => document.activeElement?.id || (document.activeElement?.textContent ?? ''),
      );
    const titles = await titlesOf(page);
    expect(await focused()).toBe('query');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe(titles[0]);
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe(titles[1]);
    await page.keyboard.press('Enter');
    const second = page.locator('#hits > li').nth(1);
    await second.locator('.whole p').first().waitFor();
    const button = second.locator('h2 button');
    expect(await button.getAttribute('aria-expanded')).toBe('true');
    expect(await second.locator('.here mark').allTextContents()).toEqual(['rain']);
    await page.keyboard.press('Escape');
    expect(await button.getAttribute('aria-expanded')).toBe('false');
    expect(await focused()).toBe(titles[1]);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toBe('query');
    for (let i = 0; i < titles.length + 1; i++) await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('more');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('#hits > li').length === 20);
    expect((await titlesOf(page)).slice(0, 10)).toEqual(titles);
    await page.waitForFunction(() => document.activeElement?.closest('li:nth-child(11)'));
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('query');
    await page.keyboard.press('Escape');
    await page.keyboard.type('/');
    expect(await page.locator('#query').inputValue()).toMatch(/\/$/);
  });

  test('of an opened passage its neighbours are shown', async () => {
    const page = await open('/?q=red+flowers');
    const hit = page.locator('#hits > li', { hasText: 'About flowers' });
    await hit.locator('h2 button').click();
    await hit.locator('.whole p').first().waitFor();
    expect(await hit.locator('.whole .around').count()).toBeGreaterThan(0);
    expect(await hit.locator('.whole').textContent()).toContain('Bees gather pollen there.');
  });

  test('a question that another one follows is cancelled', async () => {
    const page = await open();
    let held = (): void => {};
    const holding = new Promise<void>((resolve) => {
      held = resolve;
    });
    await page.route('**/search', async (route) => {
      if (!route.request().postData()?.includes('first')) return route.continue();
      held();
    });
    const cancelled = page.waitForEvent('requestfailed');
    await page.keyboard.type('first question');
    await page.keyboard.press('Enter');
    await holding;
    await page.locator('#query').fill('statins');
    await page.keyboard.press('Enter');
    expect((await cancelled).failure()?.errorText).toBe('net::ERR_ABORTED');
    await page.waitForFunction(() => document.querySelector('#hits > li'));
    expect((await titlesOf(page))[0]).toBe('statins');
    expect(await page.locator('#problem').isVisible()).toBe(false);
  });

  test('what goes wrong is said in words, and tried again', async () => {
    const page = await open();
    const problem = { status: 503, code: 'closing', detail: 'the server is closing' };
    await page.route('**/search', (route) => route.fulfill({ status: 503, json: problem }));
    await asked(page, 'statins');
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toContain('The server is not ready: the server is closing.');
    await page.unroute('**/search');
    await page.route('**/search', (route) => route.abort());
    await page.getByRole('button', { name: 'Try again' }).click();
    await untilAnswered(page);
    expect(await alert.textContent()).toContain('The server cannot be reached.');
    await page.unroute('**/search');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForFunction(() => document.querySelector('#hits > li'));
    expect(await alert.isVisible()).toBe(false);
    await page.route('**/search', (route) => route.fulfill({ status: 502, body: '<h1>Bad' }));
    await asked(page, 'other');
    expect(await alert.textContent()).toContain('The server is not ready: status 502.');
    expect(await titlesOf(page)).toEqual([]);
  });

  test('where the encoder is not to be had words are looked for', async () => {
    const page = await open();
    const problem = { status: 503, code: 'offline', detail: 'the files are not on the server' };
    await page.route('**/search', (route) =>
      route.request().postData()?.includes('"hybrid"')
        ? route.fulfill({ status: 503, json: problem })
        : route.continue(),
    );
    await asked(page, 'statins');
    expect(await statusOf(page)).toBe(
      '1 document, the best first. By keywords alone: the files are not on the server.',
    );
  });

  test('a key is asked for, kept in the tab, and asked for again where it is wrong', async () => {
    const { url, index } = await smallServer({ apiKey: 'secret' });
    expect(index.size).toBe(3);
    const page = await open('/?q=statins', {}, url);
    const key = page.getByLabel('This server asks for a key');
    await key.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This key is not right.').waitFor();
    await key.fill('secret');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#hits > li'));
    expect((await titlesOf(page))[0]).toBe('statins');
    expect(await key.isVisible()).toBe(false);
    await page.reload();
    await page.waitForFunction(() => document.querySelector('#hits > li'));
    expect(page.url()).not.toContain('secret');
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
    const another = await open('/', {}, url);
    expect(await another.getByLabel('This server asks for a key').isVisible()).toBe(true);
  });

  test('a collection without documents says so, until there is one', async () => {
    const { url, index } = await smallServer();
    await index.delete(['statins', 'bees', 'a/b c']);
    const page = await open('/?q=moon', {}, url);
    expect(await statusOf(page)).toBe('This collection has no documents yet.');
    await index.add({ id: 'moon', text: 'The moon is far.' });
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#hits > li'));
    expect(await titlesOf(page)).toEqual(['moon']);
  });
});
