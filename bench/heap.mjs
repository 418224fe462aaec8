// What lives on the JavaScript heap of a worker's isolate, as its inspector tells.

/**
 * @param {URL} inspector of the isolate
 * @returns {Promise<{ usedBytes: () => Promise<number>, close: () => void }>}
 */
export async function openHeap(inspector) {
  const socket = new WebSocket(inspector);
  await new Promise((resolve, reject) => {
    socket.onopen = () => resolve(undefined);
    socket.onerror = () => reject(new Error(`${inspector} takes no connection`));
  });
  let asked = 0;
  return {
    usedBytes: () => {
      asked += 1;
      const id = asked;
      socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
      return new Promise((resolve) => {
        /** @param {MessageEvent} event */
        const hear = ({ data }) => {
          const said = JSON.parse(data);
          if (said.id !== id) return;
          socket.removeEventListener("message", hear);
          resolve(said.result.usedSize);
        };
        socket.addEventListener("message", hear);
      });
    },
    close: () => socket.close(),
  };
}
