// What is wrong with a page for those who cannot see it, see little of it, or have thick fingers. Both functions run in it.

/** The least side of what is to be hit. */
export const TOUCH_PX = 44;

/** What is wrong with what is to be seen, as sentences; runs in the page. */
export function findFaults() {
  const dialog = document.querySelector('dialog[open]');
  const elements = [...(dialog ?? document.body).querySelectorAll('*')].filter((element) => element.checkVisibility());
  const say = (element) => `<${element.localName} id="${element.id}" class="${element.getAttribute('class') ?? ''}">`;
  const textOf = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  const faults = [];

  // Names.
  const nameOf = (element) => element.getAttribute('aria-label')
      || textOf(element.getAttribute('aria-labelledby') ?? '')
      || [...(element.labels ?? [])].map((label) => label.textContent).join(' ')
      || (element.matches('select, input') ? '' : element.textContent.trim());
  for (const element of elements) {
    const needsName = element.matches('a[href], button, select, input, [tabindex], dialog, nav, section, [role=img]');
    if (needsName && !nameOf(element)) faults.push(`${say(element)} has no name`);
    if (element.matches('a[href], button') && element.getAttribute('aria-label') && element.innerText.trim()) {
      const [name, seen] = [nameOf(element), element.innerText.trim()].map((text) => text.toLowerCase());
      if (!name.includes(seen) && seen !== '?') faults.push(`${say(element)} is called '${name}' and reads '${seen}'`);
    }
  }

  // References, and who they mean.
  const ids = [...document.querySelectorAll('[id]')].map(({id}) => id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id ${id} is there twice`);
  for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby], label[for], use')) {
    for (const attribute of ['aria-labelledby', 'aria-describedby', 'for', 'href']) {
      for (const id of element.getAttribute(attribute)?.replace('#', '').split(/\s+/) ?? []) {
        if (!ids.includes(id)) faults.push(`${say(element)} refers to ${id}, which is not there`);
      }
    }
  }

  // Contrast, WCAG 2.2, 1.4.3 and 1.4.11. Behind what lies on a picture there may be any colour: the worst counts.
  const parse = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return {red, green, blue, alpha};
  };
  const over = (top, below) => {
    const mix = (channel) => top[channel] * top.alpha + below[channel] * (1 - top.alpha);
    return {red: mix('red'), green: mix('green'), blue: mix('blue'), alpha: 1};
  };
  const luminance = ({red, green, blue}) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const backgroundsOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      if (at.matches('.screen')) return ['rgb(0, 0, 0)', 'rgb(255, 255, 255)'].map((picture) =>
        layers.reduceRight((below, top) => over(top, below), parse(picture)));
      layers.push(parse(getComputedStyle(at).backgroundColor));
      if (layers.at(-1).alpha === 1) break;
    }
    return [layers.reduceRight((below, top) => over(top, below))];
  };
  const worst = (colour, backgrounds) =>
    Math.min(...backgrounds.map((background) => ratio(over(parse(colour), background), background)));
  for (const element of elements) {
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (hasText && !element.closest('.unseen, option, .symbols')) {
      const size = parseFloat(style.fontSize);
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      const found = worst(style.color, backgroundsOf(element));
      if (found < needed) faults.push(`${say(element)} '${element.textContent}' has contrast ${found.toFixed(2)}`);
    }
    if (element.matches('select, input')) {
      const found = worst(style.borderTopColor, backgroundsOf(element.parentElement));
      if (found < 3) faults.push(`the edge of ${say(element)} has contrast ${found.toFixed(2)}`);
    }
  }
  return faults;
}

/** What is too small to be hit; runs in the page. */
export function findSmallTargets(least) {
  const root = document.querySelector('dialog[open]') ?? document.body;
  return [...root.querySelectorAll('a[href], button, select, input')]
      .filter((element) => element.checkVisibility())
      .map((element) => ({element, box: element.getBoundingClientRect()}))
      .filter(({box}) => box.width < least || box.height < least)
      .map(({element, box}) => `${element.outerHTML.slice(0, 80)} is ${box.width}×${box.height}`);
}
