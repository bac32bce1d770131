// What the pages do beyond links and forms. Each behaviour is asked for by a data attribute; without scripts the pages
// still work: only copying, closing menus and confirming are less comfortable.
(() => {
  "use strict";

  const THEMES = ["system", "light", "dark"];

  function theme() {
    return document.documentElement.dataset.theme || "system";
  }

  function showTheme() {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme()));
    }
  }

  function chooseTheme(name) {
    if (!THEMES.includes(name)) return;
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    try {
      if (name === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", name);
    } catch {
      // Storage may be forbidden: the choice then lasts for this page.
    }
    showTheme();
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = (source.dataset.copyText || source.textContent).trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http on another host than localhost has no clipboard: select the text, so that Ctrl+C takes it.
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return;
    }
    button.dataset.copied = "";
    const label = button.querySelector("[data-copy-label]");
    const before = label.textContent;
    if (before !== "Copied") {
      label.textContent = "Copied";
      setTimeout(() => {
        delete button.dataset.copied;
        label.textContent = before;
      }, 2000);
    }
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const copier = target.closest("[data-copy]");
    if (copier) copy(copier);
    const chooser = target.closest("[data-theme-choice]");
    if (chooser) chooseTheme(chooser.dataset.themeChoice);
    const opener = target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    const closer = target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
    // A menu closes when somebody clicks elsewhere.
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A field that another one asks for: shown only while that one has the value.
  function showDependents() {
    for (const part of document.querySelectorAll("[data-shown-if]")) {
      const [id, value] = part.dataset.shownIf.split("=");
      part.hidden = document.getElementById(id).value !== value;
    }
  }
  document.addEventListener("change", showDependents);

  // Sending a form twice would make two keys.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button[type=submit]")) {
      setTimeout(() => button.setAttribute("disabled", ""), 0);
    }
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[type=submit][disabled]")) button.removeAttribute("disabled");
  });

  showTheme();
  showDependents();
})();
