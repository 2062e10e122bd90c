// What makes the pages quicker; they are whole without it.
"use strict";

const status = document.createElement("p");
status.className = "hidden";
status.setAttribute("role", "status");
document.body.append(status);

for (const code of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy: " + code.textContent);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      status.textContent = button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      status.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  code.after(button);
}

// Another state of this page; an empty one where the server does not answer.
async function fetched(url) {
  try {
    const response = await fetch(url);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return new Document();
  }
}

// What is typed into a filter takes the place of the list, without a new page.
for (const form of document.querySelectorAll("form[data-filter]")) {
  const field = form.elements.filter;
  let timer, latest = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const url = form.action + "?" + new URLSearchParams(new FormData(form));
      const turn = ++latest;
      const list = (await fetched(url)).getElementById(form.dataset.filter);
      if (turn === latest && list) {
        document.getElementById(list.id).replaceWith(list);
        history.replaceState(null, "", url);
        fill();
      }
    }, 150);
  });
}

// Rows that the registry had not told of are asked for again until it has.
let filling;
function fill(after = 500) {
  clearTimeout(filling);
  if (!document.querySelector("[data-pending]")) return;
  filling = setTimeout(async () => {
    const page = await fetched(location.href);
    for (const row of document.querySelectorAll("[data-pending]")) {
      const known = page.getElementById(row.id);
      if (known && !("pending" in known.dataset)) row.replaceWith(known);
    }
    const note = document.getElementById("pending");
    if (note) note.hidden = !document.querySelector("[data-pending]");
    fill(Math.min(after * 2, 10000));
  }, after);
}
fill();
