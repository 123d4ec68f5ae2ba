// What hinders whoever hears the page or goes through it by keys.
(() => {
  const faults = [];
  const hold = (is, fault) => { if (!is) faults.push(fault); };
  hold(document.documentElement.lang === 'en', 'no language');
  hold(document.title.length > 5, 'no title');
  hold(document.querySelectorAll('h1').length === 1, 'not one h1');
  hold(document.querySelectorAll('main').length === 1, 'not one main');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const own = Number(heading.tagName[1]);
    hold(own <= level + 1, 'a level is left out before ' + heading.textContent);
    hold(heading.textContent.trim(), 'an empty heading');
    level = own;
  }
  for (const table of document.querySelectorAll('table')) {
    const name = table.caption ? table.caption.textContent : 'a table';
    hold(table.caption && table.caption.textContent.trim(), 'a table without caption');
    hold([...table.querySelectorAll('th')].every(th => th.scope === 'col' || th.scope === 'row'), name + ': no scope');
    const columns = table.tHead.rows[0].cells.length;
    hold([...table.rows].every(row => row.cells.length === columns), name + ': rows of another length');
    hold([...table.tHead.rows[0].cells].every(th => th.textContent.trim()), name + ': a column without title');
  }
  for (const svg of document.querySelectorAll('svg')) {
    const told = svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label');
    hold(told || svg.getAttribute('aria-hidden') === 'true', 'a picture without words');
  }
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  hold(new Set(ids).size === ids.length, 'an id stands twice');
  for (const link of document.querySelectorAll('a')) {
    hold(link.hash && document.getElementById(link.hash.slice(1)), 'a link that leads nowhere: ' + link.href);
  }
  return faults;
})()
