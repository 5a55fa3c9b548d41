import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium: boolean = existsSync(executablePath);

/** Machines may be busy. */
const PATIENCE_MS = 120_000;

export function launch(): Promise<Browser> {
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-quic'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ];
  return chromium.launch({ executablePath, args });
}

/** A page of a server, with all that it must not do. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, what the policy refused, and requests that go elsewhere. */
  readonly wrong: readonly string[];
}

/** Opens the search page of a server at an address below it. */
export async function openPage(
  browser: Browser,
  url: string,
  path = '/',
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => void wrong.push(String(error)));
  page.on('console', (message) => {
    // answers that are no success are written there by the browser itself
    if (/Failed to load resource/.test(message.text())) return;
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) wrong.push(`asks ${request.url()}`);
  });
  await page.goto(`${url}${path}`);
  await untilAnswered(page);
  return { page, wrong };
}

/** Resolves when the newest question has been answered, or has failed. */
export async function untilAnswered(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const isSaid = ['status', 'problem-text', 'unlock'].some((id) => {
      const found = document.getElementById(id);
      return found?.checkVisibility() && found.textContent !== '';
    });
    return isSaid && !document.querySelector('#results[aria-busy]');
  });
}

/** What the status says. */
export async function statusOf(page: Page): Promise<string> {
  return (await page.locator('#status').textContent()) ?? '';
}

/** Titles of the hits, from the top. */
export function titlesOf(page: Page): Promise<string[]> {
  return page.locator('#hits h2').allTextContents();
}
