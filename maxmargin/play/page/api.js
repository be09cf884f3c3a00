// Requests to the server on this machine, all with the token of the address.

const query = "?token=" + encodeURIComponent(new URLSearchParams(location.search).get("token") || "");

async function post(route, body) {
  const answer = await fetch(`api/${route}${query}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), cache: "no-store",
  });
  return answer.json();
}

const TRIES = 3;

// Events of the server; `gone` is called when the server has not answered for a while.
function listen(events, gone, failures = 0) {
  const source = new EventSource(`api/stream${query}`);
  for (const [name, ear] of Object.entries(events)) source.addEventListener(name, (event) => ear(JSON.parse(event.data)));
  source.addEventListener("open", () => (failures = 0));
  source.addEventListener("error", () => {
    if (++failures >= TRIES) {
      source.close();
      gone();
    } else if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(events, gone, failures), 2000);
  });
}

export { listen, post };
