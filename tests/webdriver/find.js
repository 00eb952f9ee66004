// Finds what a person means by `name`: arguments are the kind of thing and its name. Answers { found, offered, done }:
// the elements to act on, the names of all that could have been meant, and whether nothing is left to do.
const [kind, name] = arguments;

const selectors = {
  "field": "textarea, input:not([type=hidden]):not([type=submit]):not([type=button]):not([type=reset])" +
    ":not([type=image]):not([type=checkbox]):not([type=radio])",
  "unticked box": "input[type=checkbox]",
  "choice": "input[type=radio], option",
  "button": "button, input[type=submit], input[type=button], input[type=reset], summary, [role=button]",
  "link": "a[href]",
};

const squash = (text) => (text || "").replace(/\s+/g, " ").trim();

// A label may wrap its field; the entries of a list inside it are no part of its name.
const labelText = (label) => {
  const copy = label.cloneNode(true);
  copy.querySelectorAll("select, textarea, button, input").forEach((part) => part.remove());
  return squash(copy.textContent);
};

const referred = (element, attribute) =>
  (element.getAttribute(attribute) || "").split(/\s+/).map((id) => id && document.getElementById(id))
    .filter(Boolean).map((other) => squash(other.textContent)).join(" ");

const namesOf = (element) => {
  const labels = [...(element.labels || [])].map(labelText);
  const own = element.matches("button, summary, a, option, [role=button]") ? [element.textContent] : [];
  const pressed = element.matches("[type=submit], [type=button], [type=reset]") ? [element.value] : [];
  const spoken = [element.getAttribute("aria-label"), referred(element, "aria-labelledby")];
  const written = [element.getAttribute("placeholder"), element.getAttribute("name")];
  return [...spoken, ...labels, ...own, ...pressed, ...(kind === "button" ? [] : written)].map(squash).filter(Boolean);
};

const visible = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) &&
  [...element.getClientRects()].some((area) => area.width > 1 && area.height > 1);

// A box or radio button may be drawn by its label alone: then the label is what a person clicks.
const target = (element) => {
  if (element.matches("option")) return visible(element.closest("select")) ? element : null;
  const drawn = visible(element) && getComputedStyle(element).opacity !== "0";
  if (drawn || !element.matches("[type=checkbox], [type=radio]")) return drawn ? element : null;
  return [...element.labels].find(visible) || null;
};

const things = [...document.querySelectorAll(selectors[kind])]
  .map((element) => ({ element, names: namesOf(element), target: target(element) }))
  .filter((thing) => thing.target);

const wanted = squash(name);
const exact = things.filter((thing) => thing.names.includes(wanted));
const close = things.filter((thing) => thing.names.some((other) => other.includes(wanted)));
let chosen = exact.length ? exact : close;

// Two links with one name and one address are one choice.
if (kind === "link" && new Set(chosen.map((thing) => thing.element.href)).size === 1) chosen = chosen.slice(0, 1);

return {
  found: chosen.map((thing) => thing.target),
  offered: things.map((thing) => thing.names[0] || "(no name)"),
  done: kind === "unticked box" && chosen.length === 1 && chosen[0].element.checked,
};
