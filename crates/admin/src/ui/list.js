// A table of which only the rows that can be seen are in the document, so that many thousands stay quick.

const BESIDE = 8; // rows above and below those in sight

export function element(tag, text, properties = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, is] of Object.entries(properties)) name in made ? (made[name] = is) : made.setAttribute(name, is);
  return made;
}

export class List {
  #rows = []; #columns; #body; #space; #none;

  // A column is { title, width, text(row), number?, tone?(row) }.
  constructor(place, label, columns, none) {
    this.#columns = columns;
    this.#none = none;
    const table = element("div", undefined, { className: "table", role: "table", ariaLabel: label });
    table.style.setProperty("--columns", columns.map((column) => column.width).join(" "));
    const head = element("div", undefined, { className: "row head", role: "row" });
    for (const column of columns) head.append(element("span", column.title, { role: "columnheader", className: column.number ? "number" : "" }));
    this.#body = element("div", undefined, { className: "scroll", role: "rowgroup", tabIndex: 0 });
    this.#space = element("div");
    this.#space.style.position = "relative";
    this.#body.append(head, this.#space);
    this.#body.addEventListener("scroll", () => this.#draw());
    table.append(this.#body);
    place.replaceChildren(table);
  }

  show(rows) {
    this.#rows = rows;
    this.#draw();
  }

  #height() {
    return parseFloat(getComputedStyle(document.documentElement).fontSize) * 1.9;
  }

  #draw() {
    const height = this.#height();
    if (this.#rows.length === 0) {
      this.#space.style.height = `${height}px`;
      this.#space.replaceChildren(element("div", this.#none, { className: "row quiet" }));
      return;
    }
    this.#space.style.height = `${this.#rows.length * height}px`;
    const first = Math.max(0, Math.floor(this.#body.scrollTop / height) - BESIDE);
    const seen = Math.ceil((this.#body.clientHeight || 800) / height) + 2 * BESIDE;
    const drawn = this.#rows.slice(first, first + seen).map((row, place) => this.#row(row, first + place, height));
    this.#space.replaceChildren(...drawn);
  }

  #row(row, place, height) {
    const made = element("div", undefined, { className: "row", role: "row" });
    made.setAttribute("aria-rowindex", place + 1);
    made.style.cssText = `position:absolute;left:0;right:0;top:${place * height}px`;
    for (const column of this.#columns) {
      const text = column.text(row);
      const tone = column.tone?.(row) ?? "";
      made.append(element("span", text, { role: "cell", title: text, className: `${column.number ? "number" : ""} ${tone}` }));
    }
    return made;
  }
}
