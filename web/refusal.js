/** The server answered, but with a refusal. The message is the server's, for people. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** From a reply that is not ok; errors of the server look like {"error": "a sentence"}. */
  static async from(response) {
    const reply = await response.json().catch(() => null);
    return new Refusal(response.status, reply?.error || `the server answered ${response.status}`);
  }
}

/** What went wrong, for people. Browsers word a lost connection each in their own way, as a TypeError. */
export function reason(error) {
  if (error instanceof TypeError) return 'the server does not answer';
  if (error.name === 'TimeoutError') return 'the server took too long';
  return error.message;
}

/** The same with a capital. */
export function sentence(error) {
  const text = reason(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
