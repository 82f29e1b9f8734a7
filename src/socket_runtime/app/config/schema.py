"""The one table of the keys of ``socket.ini``.

``KEYS`` have a meaning here; ``ACCEPTED`` are keys of the original runtime that are read and warned of,
so that its projects build unchanged; ``FREE`` sections hold names of the author's own choice. Whatever
is in none of the three is an error. Documentation, ``ssc init`` and the tests are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ['ACCEPTED', 'ACCEPTED_PREFIXES', 'FREE', 'KEYS', 'Key']


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        section: dotted section, ``build.script``.
        name: the key in it.
        kind: one of ``values.KINDS``.
        default: the text that stands in where it is absent.
        help: what it does, one sentence.
        accepts: the values of a ``choice``.
        repeats: may be given more than once, as ``name[] = value``.
        split: one value may hold several, between commas or spaces.
        required: must be there, and not be empty.
        aliases: other names by which the original's documents call it.
    """

    section: str
    name: str
    kind: str
    default: str
    help: str
    accepts: tuple[str, ...] = ()
    repeats: bool = False
    split: bool = False
    required: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def flat(self) -> str:
        """``build_script_forward_arguments``."""
        return f'{self.section}.{self.name}'.replace('.', '_')


KEYS: tuple[Key, ...] = (
    # [meta]: who the app is
    Key(
        'meta',
        'bundle_identifier',
        'bundle identifier',
        '',
        'Reverse DNS name of the app; in lower case the host of its origin, socket://<it>.',
        required=True,
    ),
    Key('meta', 'title', 'string', '', "The app's title, and its first window's; else the name in [build]."),
    Key('meta', 'version', 'version', '1.0.0', "The app's version."),
    Key('meta', 'description', 'string', '', 'One line about the app.'),
    Key('meta', 'copyright', 'string', '', 'Who holds the rights.'),
    Key('meta', 'maintainer', 'string', '', 'Who looks after the app.'),
    Key('meta', 'lang', 'string', 'en-us', 'The language of the app.'),
    # [build]: from project to bundle
    Key('build', 'name', 'name', '', 'Name of the program; also of its folder under output.', required=True),
    Key('build', 'copy', 'path', 'src', 'Folder with the pages; its content becomes the resources.'),
    Key('build', 'output', 'path', 'build', 'Folder that bundles are built into.'),
    Key('build', 'script', 'command', '', 'Command that runs before the copy, shown first and without a shell.'),
    Key('build', 'headless', 'boolean', 'false', 'Run without showing a window, as --headless does.'),
    Key(
        'build',
        'env',
        'variable',
        '',
        'Environment variables that a page may read, given the grant process.env.',
        repeats=True,
        split=True,
    ),
    Key('build.watch', 'sources', 'path', '', 'What to watch besides the pages while developing.', repeats=True),
    # [webview]: the pages
    Key('webview', 'root', 'url path', '/', 'The page that the first window opens.'),
    Key('webview', 'default_index', 'index', 'index.html', 'The file that answers for a folder.'),
    Key(
        'webview',
        'headers',
        'header',
        '',
        "Header for every file of the app; a Content-Security-Policy narrows the pages' own. In quotes.",
        repeats=True,
    ),
    Key('webview', 'watch', 'boolean', 'false', 'Watch the resources while running in development.'),
    Key('webview.watch', 'reload', 'boolean', 'true', 'Reload the page when something watched has changed.'),
    Key(
        'webview',
        'hardware_acceleration',
        'choice',
        'auto',
        'Draw with the GPU; off saves much memory where there is none.',
        accepts=('auto', 'on', 'off'),
    ),
    Key('webview', 'sandbox', 'boolean', 'true', "Run the web process in the engine's sandbox."),
    Key('webview', 'storage', 'boolean', 'true', 'Keep localStorage and IndexedDB from run to run.'),
    Key('webview', 'timeout', 'seconds', '32', 'Longest time for a command that sets none of its own.'),
    # [window]: the first window
    Key('window', 'width', 'size', '800', 'Width: pixels or a share of the screen.'),
    Key('window', 'height', 'size', '600', 'Height: pixels or a share of the screen.'),
    Key('window', 'min_width', 'size', '200', 'Smallest width.'),
    Key('window', 'min_height', 'size', '100', 'Smallest height.'),
    Key('window', 'resizable', 'boolean', 'true', 'The user may change its size.'),
    Key('window', 'frameless', 'boolean', 'false', 'No title bar and no border.'),
    Key('window', 'fullscreen', 'boolean', 'false', 'Fill the screen.'),
    Key('window', 'maximized', 'boolean', 'false', 'Begin maximized.'),
    Key('window', 'on_top', 'boolean', 'false', 'Stay above other windows.'),
    Key(
        'window',
        'background_color_light',
        'color',
        '#FFFFFF',
        'Colour behind the page until it has drawn.',
        aliases=('backgroundColorLight',),
    ),
    Key(
        'window',
        'background_color_dark',
        'color',
        '#1E1E1E',
        'The same for a dark desktop.',
        aliases=('backgroundColorDark',),
    ),
    # [python]: the app's own program
    Key('python', 'main', 'path', '', "A Python program that runs in the app's process and makes its windows."),
    Key('python', 'include', 'path', '', 'Further files and folders that the program needs in a bundle.', repeats=True),
)

#: Sections whose keys the author chooses. ``grants`` are checked by the gate's own table.
FREE = ('env', 'grants')

#: The original's keys without effect here, by section.
_ACCEPTED: dict[str, str] = {
    'android': (
        'aapt_no_compress enable_standard_ndk_build main_activity manifest_permissions native_abis native_cflags '
        'native_sources native_makefile sources icon icon_sizes allow_cleartext keystore_alias keystore_password'
    ),
    'apple': 'identifier team_identifier',
    'application': 'agent signals',
    'build': 'copy_map flags copy_map_linux copy_map_mac copy_map_win type',
    'build.linux': 'package_format',
    'build.mac': 'package_format',
    'build.script': 'forward_arguments',
    'build.watch': 'debounce_timeout',
    'build.win': 'package_format',
    'debug': 'flags',
    'headless': (
        'runner runner_flags runner_android runner_android_flags runner_ios runner_ios_flags runner_linux '
        'runner_linux_flags runner_mac runner_mac_flags runner_win32 runner_win32_flags linux_runner '
        'linux_runner_flags mac_runner mac_runner_flags win32_runner win32_runner_flags'
    ),
    'ios': (
        'codesign_identity distribution_method provisioning_profile simulator_device nonexempt_encryption icon '
        'icon_sizes'
    ),
    'linux': 'categories cmd icon icon_sizes',
    'mac': (
        'category cmd codesign_identity codesign_paths minimum_supported_version window_control_offsets icon '
        'icon_sizes sandbox info_plist_file sign team_id'
    ),
    'meta': 'application_protocol application_links file_limit type',
    'native': 'files headers',
    'permissions': (
        'allow_fullscreen allow_microphone allow_camera allow_user_media allow_geolocation allow_notifications '
        'allow_sensors allow_clipboard allow_bluetooth allow_data_access allow_airplay allow_hotkeys '
        'allow_device_info allow_device_orientation allow_media_key_system allow_push_notifications '
        'allow_read_media allow_read_media_images allow_read_media_video allow_read_media_audio '
        'allow_geolocation_in_background allow_autoplay allow_local_fonts allow_service_worker'
    ),
    'tray': 'icon tooltip',
    'webview': (
        'importmap cache-control insecure_domains service_worker_mode fetch_headers_filter url_protocols '
        'xhr_concurrency'
    ),
    'webview.watch': 'service_worker_reload_timeout',
    'win': 'cmd logo pfx publisher icon icon_sizes',
    'window': 'max_width max_height maximizable minimizable closable utility titlebar_style window_control_offsets',
    'window.alert': 'title',
}

#: Flattened names of the original's keys that are read and have no effect.
ACCEPTED: frozenset[str] = frozenset(
    f'{section}_{name}'.replace('.', '_') for section, names in _ACCEPTED.items() for name in names.split()
) | {'build_script_after'}

#: Flattened beginnings of the original's sections with names of the author's choice, likewise.
ACCEPTED_PREFIXES = (
    'build_extensions_',
    'mac_productbuild_',
    'webview_importmap_',
    'webview_navigator_mounts_',
    'webview_navigator_policies_',
    'webview_protocol-handlers_',
    'webview_service-workers_',
)
