// Who can use the console: with the keyboard, in any colours, on any screen.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { answer, assertFonts, assertNothingOverflows, axe, claims, execute, press } from './page.mjs';
import { open } from './setting.mjs';
import { ROOT } from './support.mjs';

/** The directory of screenshots. With SCREENSHOT=1, the light one becomes docs/console.png. */
const SHOTS = join(ROOT, 'target/console');

describe('accessibility', () => {
  test('everything can be done with the keyboard', async (t) => {
    const page = await open(t);
    /** Presses Tab until an element with a matching name has the focus. Every focus must be visible. */
    const tabTo = async (pattern) => {
      for (let tabs = 0; tabs < 60; tabs += 1) {
        await page.keyboard.press('Tab');
        const focus = await page.evaluate(() => {
          const { activeElement: element } = document;
          // Some controls are drawn by a sibling, which then has the outline.
          const drawn = element.matches('.segments input, .switch input')
            ? element.parentElement.querySelector(':scope > span:last-child')
            : element.closest('.unit-field') ?? element;
          const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
          return {
            name: element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText
              ?? element.innerText ?? '',
            outline: `${outlineStyle} ${outlineWidth}`,
          };
        });
        assert.match(focus.outline, /^solid [2-9]/, `no focus ring on "${focus.name}"`);
        if (pattern.test(focus.name)) {
          return;
        }
      }
      assert.fail(`Tab does not reach ${pattern}`);
    };

    await tabTo(/^Skip to the API/);
    await tabTo(/^API/);
    await tabTo(/^Production/);
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.getByRole('radio', { name: 'Sandbox' }).isChecked(), true);
    await tabTo(/^Subscribed/);
    await tabTo(/^Validity period/);
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('300');
    await page.keyboard.press('Enter');
    await page.locator('#token').waitFor();
    assert.equal((await claims(page)).keytype, 'SANDBOX');
    await tabTo(/^Tamper with it/);
    await page.keyboard.press('Space');
    await page.locator('#token-state', { hasText: 'Tampered' }).waitFor();
    await tabTo(/^Execute/);
    await page.keyboard.press('Enter');
    assert.equal((await answer(page)).status, '401');
    assert.equal(await page.locator('#answer').getAttribute('aria-live'), 'polite');
  });

  test('a field keeps its label when its value is invalid, and is marked', async (t) => {
    const page = await open(t);
    const field = page.getByRole('textbox', { name: 'PhoneNumber', exact: true });
    assert.equal(await field.getAttribute('aria-invalid'), 'false');
    await field.fill('12a');
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.locator('[data-param-name=PhoneNumber] input.invalid[aria-invalid=true]').waitFor();
    assert.equal(await field.inputValue(), '12a');
    await page.getByLabel('Validity period').fill('soon');
    await press(page, 'Generate keys');
    const validity = page.getByRole('textbox', { name: 'Validity period', exact: true });
    assert.equal(await validity.getAttribute('aria-invalid'), 'true');
  });

  test('everything that can be pressed is at least 24 px high and wide, and has the font of the page', async (t) => {
    const page = await open(t);
    await press(page, 'Generate keys');
    await execute(page);
    for (const details of ['#history', '.documented', '#decoded']) {
      await page.locator(`${details} > summary`).click();
    }
    await assertFonts(page);
    const small = await page.evaluate(() => {
      const shown = (selector) => [...document.querySelectorAll(selector)]
        .filter((element) => element.getBoundingClientRect().width > 0);
      const targets = shown('a, button, input, select, summary, textarea').map((element) => (
        // The target of a hidden input is what is drawn in its place.
        element.matches('.segments input, .switch input, .scopes input') ? element.parentElement : element));
      return targets.filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width < 24 || height < 24;
      }).map((element) => `${element.localName}#${element.id}.${element.className} ${element.innerText}`);
    });
    assert.deepEqual(small, []);
  });

  test('with forced colours, what is chosen and what can be pressed can be seen', async (t) => {
    const page = await open(t, { forcedColors: 'active' });
    const seen = await page.evaluate(() => {
      const style = (selector) => getComputedStyle(document.querySelector(selector));
      const background = (selector) => style(selector).backgroundColor;
      return {
        chosen: ['#server-choice', '#key-type'].map((group) => (
          background(`${group} input:checked + span`) !== background(`${group} input:not(:checked) + span`))),
        borders: ['.primary', '.card', '.segments', '.swagger-ui .btn.execute'].map((selector) => (
          style(selector).borderTopStyle)),
        on: background('.switch input:checked ~ .track') !== background('.card'),
      };
    });
    assert.deepEqual(seen.chosen, [true, true]);
    assert.deepEqual(new Set(seen.borders), new Set(['solid']));
    assert.equal(seen.on, true);
  });

  const pictures = new Map();
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds no problem, and nothing overflows: ${colorScheme}`, async (t) => {
      const page = await open(t, { colorScheme, bypassCSP: true });
      const check = await axe(page);
      await check('at the start');
      await press(page, 'Generate keys');
      assert.equal((await execute(page)).status, '200');
      await check('admitted');
      await press(page, 'Tamper with it');
      await check('an earlier answer');
      assert.equal((await execute(page)).status, '401');
      await check('refused');
      await page.mouse.move(0, 0);
      await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
      pictures.set(colorScheme, await page.screenshot());

      await assertNothingOverflows(page);
    });
  }

  test('light and dark look different', async () => {
    await mkdir(SHOTS, { recursive: true });
    const digests = new Set();
    for (const [name, picture] of pictures) {
      await writeFile(join(SHOTS, `${name}.png`), picture);
      digests.add(createHash('sha256').update(picture).digest('hex'));
    }
    assert.equal(digests.size, 2);
    if (process.env.SCREENSHOT) {
      await mkdir(join(ROOT, 'docs'), { recursive: true });
      await writeFile(join(ROOT, 'docs/console.png'), pictures.get('light'));
    }
    // The README shows a picture of this size.
    const picture = await readFile(join(ROOT, 'docs/console.png'));
    assert.deepEqual([picture.readUInt32BE(16), picture.readUInt32BE(20)], [1440, 900]);
  });
});
