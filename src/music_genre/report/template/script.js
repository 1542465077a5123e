// The page is complete without this. It adds a preview of figures and tables that the text refers
// to, and takes what needs no scrolling out of the order of the Tab key.
"use strict";

const preview = document.createElement("aside");
preview.id = "preview";
preview.hidden = true;
preview.setAttribute("aria-hidden", "true");
document.body.append(preview);

function show(link) {
  const target = document.getElementById(link.hash.slice(1));
  if (target?.tagName !== "FIGURE") return;
  const copy = target.cloneNode(true);
  copy.removeAttribute("id");
  copy.querySelectorAll(".trail").forEach((trail) => trail.remove());
  copy.querySelectorAll("[tabindex]").forEach((region) => region.removeAttribute("tabindex"));
  preview.replaceChildren(copy);
  preview.hidden = false;
  const at = link.getBoundingClientRect();
  const box = preview.getBoundingClientRect();
  const below = at.bottom + 8 + box.height <= innerHeight || at.top < innerHeight / 2;
  preview.style.top = `${Math.max(8, below ? at.bottom + 8 : at.top - 8 - box.height)}px`;
  preview.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 8))}px`;
}

function hide() {
  preview.hidden = true;
  preview.replaceChildren();
}

for (const link of document.querySelectorAll('main a[href^="#fig-"], main a[href^="#tab-"]')) {
  link.addEventListener("mouseenter", () => show(link));
  link.addEventListener("focus", () => show(link));
  link.addEventListener("mouseleave", hide);
  link.addEventListener("blur", hide);
}
addEventListener("keydown", (event) => event.key === "Escape" && hide());

// A link into a fold opens it; browsers do so, but not all.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  let opened = false;
  for (let fold = target; fold; fold = fold.parentElement) {
    if (fold.tagName === "DETAILS" && !fold.open) opened = fold.open = true;
  }
  if (opened) target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

const regions = document.querySelectorAll(".scroll");
function reach() {
  for (const region of regions) {
    region.tabIndex = region.scrollWidth > region.clientWidth + 1 ? 0 : -1;
  }
}
addEventListener("resize", reach);
document.addEventListener("change", reach);
document.addEventListener("toggle", reach, true);
reach();
