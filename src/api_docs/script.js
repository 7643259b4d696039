const find = (query, from = document) => [...from.querySelectorAll(query)];
const [filter] = find("input");
const articles = find("article").map((article) => ({ article, text: article.textContent.toLowerCase() }));
const visible = (id) => !document.getElementById(id).hidden;

filter.hidden = false;
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  for (const { article, text } of articles) article.hidden = !words.every((word) => text.includes(word));
  for (const section of find("section")) section.hidden = !find("article", section).some((article) => !article.hidden);
  for (const link of find("nav a")) (link.closest("li") ?? link).hidden = !visible(link.hash.slice(1));
  document.getElementById("nothing").hidden = articles.some(({ article }) => !article.hidden);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "Escape" && document.activeElement === filter) {
    filter.value = "";
    filter.dispatchEvent(new Event("input"));
    filter.blur();
  }
});
// A chosen entry closes the menu of a narrow window.
for (const link of find("details a")) link.addEventListener("click", () => link.closest("details").removeAttribute("open"));
// Clipboards are for https and this machine alone.
for (const button of navigator.clipboard ? find("button") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest("figure").querySelector("pre").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
