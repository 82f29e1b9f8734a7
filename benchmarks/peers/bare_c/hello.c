/* The floor: a window with a web view and nothing else.
 *
 *   hello [--no-acceleration] [URI]
 *
 * Shows a hello page, or URI. Lines that the page posts to webkit.messageHandlers.line go to standard output. */
#include <gtk/gtk.h>
#include <stdio.h>
#include <string.h>
#include <webkit2/webkit2.h>

static const char *page =
    "<!doctype html><meta charset=utf-8><title>Hello</title><h1>Hello</h1><script>"
    "addEventListener('DOMContentLoaded', () => webkit.messageHandlers.line.postMessage('DCL ' + Date.now()))"
    "</script>";

static void on_line(WebKitUserContentManager *manager, WebKitJavascriptResult *result, gpointer data) {
    char *text = jsc_value_to_string(webkit_javascript_result_get_js_value(result));
    puts(text);
    fflush(stdout);
    g_free(text);
    (void)manager;
    (void)data;
}

int main(int argc, char **argv) {
    const char *uri = NULL;
    gboolean accelerated = TRUE;
    gtk_init(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-acceleration") == 0) accelerated = FALSE;
        else uri = argv[i];
    }
    WebKitWebContext *context = webkit_web_context_new_ephemeral();
    WebKitUserContentManager *manager = webkit_user_content_manager_new();
    g_signal_connect(manager, "script-message-received::line", G_CALLBACK(on_line), NULL);
    webkit_user_content_manager_register_script_message_handler(manager, "line");
    GtkWidget *view =
        g_object_new(WEBKIT_TYPE_WEB_VIEW, "web-context", context, "user-content-manager", manager, NULL);
    if (!accelerated)
        webkit_settings_set_hardware_acceleration_policy(webkit_web_view_get_settings(WEBKIT_WEB_VIEW(view)),
                                                         WEBKIT_HARDWARE_ACCELERATION_POLICY_NEVER);
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(window), "Hello");
    gtk_window_set_default_size(GTK_WINDOW(window), 800, 600);
    gtk_container_add(GTK_CONTAINER(window), view);
    g_signal_connect(window, "destroy", G_CALLBACK(gtk_main_quit), NULL);
    gtk_widget_show_all(window);
    if (uri) webkit_web_view_load_uri(WEBKIT_WEB_VIEW(view), uri);
    else webkit_web_view_load_html(WEBKIT_WEB_VIEW(view), page, NULL);
    gtk_main();
    return 0;
}
