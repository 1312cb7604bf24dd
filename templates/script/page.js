"use strict";
// Enhancement only: tables sort by a click on a heading, long ones can be filtered.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    const key = cell.dataset.sort;
    if (key === "") return null;
    const text = (key ?? cell.textContent).trim().toLowerCase();
    return key === undefined || Number.isNaN(Number(key)) ? text : Number(key);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const original = [...body.rows];
    heads.forEach((head, column) => {
      if (!original.some((row) => row.cells[column].dataset.sort !== undefined) && column > 0) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sorted = [...original].sort((one, two) => {
          if (one.classList.contains("noise") !== two.classList.contains("noise"))
            return one.classList.contains("noise") ? 1 : -1;
          const a = value(one, column);
          const b = value(two, column);
          if (a === null || b === null) return (a === null) - (b === null);
          return down ? compare(b, a) : compare(a, b);
        });
        body.append(...sorted);
      });
    });
    if (original.length < 8) continue;
    const tools = document.createElement("div");
    tools.className = "tools";
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = `Filter ${table.dataset.rows}`;
    input.setAttribute("aria-label", `Filter ${table.dataset.rows} by their words`);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of original) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    tools.append(input);
    table.before(tools);
  }
})();
