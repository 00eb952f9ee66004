// Notes on the document whether the next click leads away from it. A new document has no such note, which is how the
// arrival is recognised. Listens last, so that a page's own script has had its say.
if (document.leaving === undefined) {
  addEventListener("submit", (event) => {
    const form = event.target;
    document.leaving = !event.defaultPrevented && form.method !== "dialog" && !form.target;
  });
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || link.target || !link.protocol.startsWith("http")) return;
    const without = (address) => address.split("#")[0];
    document.leaving = !link.hash || without(link.href) !== without(location.href);
  });
}
document.leaving = false;
