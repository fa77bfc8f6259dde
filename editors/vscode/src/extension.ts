// Starts `mirc lsp` and connects the editor to it; everything else is the server's.

import { commands, ExtensionContext, window, workspace } from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("memoryIntent.restart", async () => {
      await stop();
      await start();
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function start(): Promise<void> {
  const [command, ...args] = workspace
    .getConfiguration("memoryIntent")
    .get<string[]>("server.command", ["mirc", "lsp"]);
  if (!command) {
    return;
  }
  client = new LanguageClient(
    "memoryIntent",
    "Memory Intent",
    { command, args },
    {
      documentSelector: [{ language: "memory-intent" }],
      // Settings of the checker: the server judges again when they change.
      synchronize: {
        fileEvents: workspace.createFileSystemWatcher("**/{mirc,pyproject}.toml"),
      },
    },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    void window.showErrorMessage(
      `Cannot start \`${[command, ...args].join(" ")}\`: ${error}. ` +
        "Install it with `pip install 'mirc[lsp]'`, or set `memoryIntent.server.command`.",
    );
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}
