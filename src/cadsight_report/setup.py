from setuptools import find_packages, setup

package_name = "cadsight_report"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={package_name: ["templates/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="CADsight maintainers",
    maintainer_email="maintainers@cadsight.dev",
    description="What a run came to: one page and one JSON file.",
    license="Apache-2.0",
    extras_require={"test": ["pytest"]},
)
