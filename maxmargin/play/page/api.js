// Requests to the server on this machine, all with the token of the address.

const query = "?token=" + encodeURIComponent(new URLSearchParams(location.search).get("token") || "");

async function post(route, body) {
  const answer = await fetch(`api/${route}${query}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), cache: "no-store",
  });
  return answer.json();
}

// Events of the server; `gone` is called when it has been away for a while.
function listen(events, gone) {
  const source = new EventSource(`api/stream${query}`);
  let failures = 0;
  for (const [name, ear] of Object.entries(events)) source.addEventListener(name, (event) => ear(JSON.parse(event.data)));
  source.addEventListener("open", () => (failures = 0));
  source.addEventListener("error", () => {
    if (++failures < 3 && source.readyState !== EventSource.CLOSED) return;
    source.close();
    gone();
  });
}

export { listen, post };
