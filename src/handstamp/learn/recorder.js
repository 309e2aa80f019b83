// Tells what is done in a page, never what is typed. Runs in a world of its own: the page does not see it.
(() => {
  const STABLE = ["id", "name", "autocomplete", "data-testid", "aria-label", "type", "placeholder"];
  const TYPED = new Set(["text", "email", "password", "tel", "number", "search", "url"]);
  const told = new WeakSet();

  const typeOf = (element) => (element.getAttribute("type") || (element.localName === "input" ? "text" : "")).toLowerCase();
  const count = (root, element, name, value) => root.querySelectorAll(`${element.localName}[${name}=${CSS.escape(value)}]`).length;
  const words = (element) => (element.innerText || "").trim().replace(/\s+/g, " ").slice(0, 40);

  function described(element) {
    const [attributes, counts, inForm] = [{}, {}, {}];
    for (const name of STABLE) {
      const value = element.getAttribute(name);
      if (!value || value.length > 100) continue;
      attributes[name] = value;
      counts[name] = count(document, element, name, value);
      if (element.form) inForm[name] = count(element.form, element, name, value);
    }
    const isField = element.localName === "input" || element.localName === "textarea";
    const text = isField ? "" : words(element);
    const sameText = text ? [...document.querySelectorAll(element.localName)].filter((other) => words(other).includes(text)).length : 0;
    return { tag: element.localName, kind: typeOf(element), attributes, counts, in_form: inForm, text, same_text: sameText };
  }

  function tell(did, element) {
    globalThis.__tell(JSON.stringify({ did, url: location.origin + location.pathname + location.search, element: described(element) }));
  }

  const isTyped = (element) => element instanceof HTMLInputElement && TYPED.has(typeOf(element));

  function fill(element) {
    if (told.has(element)) return;
    told.add(element);
    tell("fill", element);
  }

  // What a password manager filled in while nobody listened.
  function fillsAround(element) {
    for (const other of (element.form ?? document).querySelectorAll("input")) {
      if (isTyped(other) && other.value && other.checkVisibility() && typeOf(other) !== "search") fill(other);
    }
  }

  addEventListener("input", (event) => {
    const element = event.composedPath()[0];
    if (isTyped(element)) fill(element);
  }, true);
  addEventListener("change", (event) => {
    const element = event.composedPath()[0];
    if (element instanceof HTMLInputElement && typeOf(element) === "checkbox" && element.checked) tell("check", element);
  }, true);
  addEventListener("click", (event) => {
    const from = event.composedPath()[0];
    const element = from instanceof Element ? from.closest("button, input[type=submit], input[type=button], input[type=image], [role=button]") : null;
    if (!element) return;
    fillsAround(element);
    tell("click", element);
  }, true);
  addEventListener("keydown", (event) => {
    const element = event.composedPath()[0];
    if (event.key !== "Enter" || !isTyped(element)) return;
    fillsAround(element);
    tell("enter", element);
  }, true);
})();
