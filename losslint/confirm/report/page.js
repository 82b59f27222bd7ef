// The filter. Without this script the page shows everything, and no filter.
"use strict";
const bar = document.querySelector(".filter");
const rule = bar.querySelector("select");
const verdicts = [...bar.querySelectorAll("input")];
const all = (selector) => [...document.querySelectorAll(selector)];

function apply() {
  const wanted = new Set(verdicts.filter((box) => box.checked).map((box) => box.value));
  const whole = !rule.value && wanted.size === verdicts.length;
  for (const one of all("[data-verdict]"))
    one.hidden = !wanted.has(one.dataset.verdict) || (rule.value !== "" && one.dataset.rule !== rule.value);
  // what holds none of the findings that are left is hidden with them
  for (const one of all("[data-holds]")) one.hidden = !whole && !one.querySelector("[data-verdict]:not([hidden])");
  for (const row of all("[data-loss]")) row.hidden = document.getElementById(row.dataset.loss).hidden;
  const rows = all("tr[data-verdict]");
  const left = rows.filter((row) => !row.hidden).length;
  bar.querySelector("output").value = `${left} of ${rows.length} findings`;
  document.querySelector("#none").hidden = left > 0 || rows.length === 0;
}

bar.addEventListener("input", apply);
bar.addEventListener("reset", () => setTimeout(apply));
bar.hidden = false;
apply();
// what a link leads to must not come to lie below the bar
new ResizeObserver(() => (document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 8}px`)).observe(bar);
