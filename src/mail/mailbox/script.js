// New mail appears by itself: while the page is seen, the list is asked for again and exchanged when it differs.
const region = document.querySelector("#mailbox");

async function refresh() {
  const answer = await fetch("/dev/mail/");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#mailbox");
  if (fresh && fresh.innerHTML !== region.innerHTML) {
    region.replaceChildren(...fresh.childNodes);
  }
}

if (region) {
  setInterval(() => {
    // A server that restarts is asked again a moment later.
    if (!document.hidden) refresh().catch(() => {});
  }, 2000);
}
